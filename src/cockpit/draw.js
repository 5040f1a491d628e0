/* Small parts of the page. Each fact is an element that carries the document's own value beside what is shown of it. */
import * as words from "./words.js";

const byId = id => document.getElementById(id);
const drawn = new Map();

/* `text`: how it is shown, when not as it is. What was written down, by a publisher or at its time, is English whatever the
 * page speaks. */
export function fact(value, { className = "", text = String(value), isKept = false } = {}) {
    const element = document.createElement("bdi");
    element.dataset.fact = String(value);
    element.textContent = text;
    if (className)
        element.className = className;
    if (isKept)
        element.lang = "en";
    return element;
}

/* A word of the page's own. */
export function flag(text, className = "") {
    const element = document.createElement("span");
    element.textContent = text;
    if (className)
        element.className = className;
    return element;
}

export function when(at, className = "") {
    const element = document.createElement("time");
    element.dateTime = at;
    element.dataset.fact = at;
    element.textContent = words.time(at);
    if (className)
        element.className = className;
    return element;
}

export function row(label, ...parts) {
    const pair = document.createElement("div");
    const term = document.createElement("dt");
    const description = document.createElement("dd");
    term.textContent = label;
    description.append(...parts);
    pair.append(term, description);
    return pair;
}

export function show(id, isShown) {
    if (byId(id).hidden === isShown)
        byId(id).hidden = !isShown;
}

export function setText(id, text) {
    if (byId(id).textContent !== text)
        byId(id).textContent = text;
}

/* Draw anew only when `data` is another one. */
export function fill(id, data, draw) {
    const key = JSON.stringify(data);
    if (drawn.get(id) === key)
        return;
    drawn.set(id, key);
    byId(id).replaceChildren();
    draw(byId(id));
}

export function list(id, items, draw) {
    fill(id, items, place => place.append(...items.map(draw)));
}
