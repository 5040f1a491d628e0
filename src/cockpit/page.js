/* From the state to what is seen. Nothing is kept here but what was drawn last, so that what did not change is left alone,
 * with the focus and whatever a screen reader is at. */
import { fact, fill, flag, list, row, setText, show, when } from "./draw.js";
import * as words from "./words.js";

const label = words.label;
const byId = id => document.getElementById(id);

/* What a button cannot do now it says, and keeps the focus. */
function enable(id, isEnabled) {
    byId(id).setAttribute("aria-disabled", String(!isEnabled));
}

function drawLink(fix) {
    if (!fix.url || !fix.url.startsWith("https://"))
        return fact(fix.id, { className: "fix-id" });
    const link = document.createElement("a");
    link.href = fix.url;
    link.target = "_blank";
    link.rel = "noopener noreferrer";
    link.className = "fix-id";
    link.append(fact(fix.id), flag(label.newTab, "hidden-text"));
    return link;
}

function drawFix(fix) {
    const item = document.createElement("li");
    item.append(drawLink(fix));
    if (fix.severity)
        item.append(fact(fix.severity, { className: `severity ${fix.severity}`, text: words.severity(fix.severity) }));
    if (fix.title)
        item.append(fact(fix.title, { className: "fix-title", isKept: true }));
    if (fix.impact)
        item.append(fact(fix.impact, { className: "fix-impact", isKept: true }));
    return item;
}

function drawVersions(component) {
    const versions = document.createElement("span");
    versions.className = "versions";
    if (component.old_version)
        versions.append(fact(component.old_version), arrow(label.replacedBy));
    versions.append(fact(component.new_version));
    return versions;
}

function arrow(meaning) {
    const sign = flag("→", "arrow");
    sign.setAttribute("aria-hidden", "true");
    const both = document.createElement("span");
    both.append(sign, flag(meaning, "hidden-text"));
    return both;
}

function drawComponent(component) {
    const item = document.createElement("li");
    const head = document.createElement("div");
    head.className = "component";
    const title = document.createElement("h3");
    title.append(fact(component.name));
    head.append(title, drawVersions(component));
    if (component.fit !== "applies")
        head.append(fact(component.fit, { className: "badge", text: words.fit(component.fit) }));
    head.append(flag(words.fixes(component.fixes.length), "quiet count"));
    const fixes = document.createElement("ul");
    fixes.className = "fixes";
    fixes.append(...component.fixes.map(drawFix));
    item.append(head, fixes);
    return item;
}

function drawAction(action) {
    const item = document.createElement("li");
    item.append(fact(action.advice, { className: "below" }),
                fact(action.reason, { className: "quiet below" }));
    return item;
}

function fillPlan(id, title, plan) {
    fill(id, [title, plan], place => {
        if (!plan.length)
            return;
        const heading = document.createElement("h3");
        heading.textContent = title;
        const items = document.createElement("ul");
        items.className = "rows";
        items.append(...plan.map(drawAction));
        place.append(heading, items);
    });
}

function drawAttention(item) {
    const entry = document.createElement("li");
    entry.append(fact(item.message));
    return entry;
}

function drawCheck(check) {
    if (!check)
        return [flag(label.never)];
    const parts = [when(check.at)];
    if (!words.isGoodCheck(check))
        parts.push(flag(label.checkFailed, "badge bad"));
    if (check.message)
        parts.push(fact(check.message, { className: "quiet below", isKept: true }));
    return parts;
}

function drawSummary(status) {
    return [
        row(label.version, fact(status.version)),
        row(label.system, fact(status.baseline.os), " ", fact(status.baseline.architecture, { className: "quiet" })),
        row(label.state, fact(status.state, { text: words.state(status.state) })),
        row(label.lastCheck, ...drawCheck(status.last_check)),
        ...(status.repository ? [row(label.repository, fact(status.repository))] : []),
    ];
}

function drawOfferFacts(status) {
    const offer = status.offer;
    return [
        row(label.version, fact(offer.version)),
        row(label.published, when(offer.created)),
        row(label.download, fact(offer.least_bytes, { text: words.bytes(offer.least_bytes) })),
        ...(status.staged ? [row(label.staged, fact(status.staged, { className: "level" }))] : []),
    ];
}

function drawInstalledFacts(status) {
    if (!status.level)
        return [];
    const rows = [row(label.level, fact(status.level, { className: "level" }))];
    if (status.waiting) {
        rows.push(row(label.waitingSince, when(status.waiting.since)));
        if (status.waiting.opens)
            rows.push(row(label.opens, when(status.waiting.opens)));
        if (status.waiting.due)
            rows.push(row(label.due, when(status.waiting.due),
                          ...(status.waiting.overdue ? [flag(label.overdue, "badge bad")] : [])));
    }
    return rows;
}

/* Levels that are not, or no more, installed, and why. */
function listRefused(status) {
    const entries = [...status.recalls.map(entry => ({ ...entry, why: label.recalled })),
                     ...status.quarantine.map(entry => ({ ...entry, why: label.quarantined }))];
    return status.removed ? [{ level: status.removed, why: label.removed }, ...entries] : entries;
}

function drawRefused(entry) {
    const item = document.createElement("li");
    item.append(fact(entry.level, { className: "level" }), flag(entry.why, "event"));
    if (entry.at)
        item.append(when(entry.at, "quiet"));
    if (entry.reason)
        item.append(fact(entry.reason, { className: "quiet below", isKept: true }));
    return item;
}

function drawEnd(level) {
    return level ? fact(level, { className: "level" }) : flag(label.baseline, "level");
}

function drawEvent(event) {
    const item = document.createElement("li");
    item.append(fact(event.event, { className: "event", text: words.event(event.event) }));
    if (event.from !== event.to) {
        const way = document.createElement("span");
        way.className = "versions";
        way.append(drawEnd(event.from), arrow(label.replacedBy), drawEnd(event.to));
        item.append(way);
    }
    if (event.outcome !== "Ok")
        item.append(fact(event.outcome, { className: "badge bad", text: label.failed }));
    item.append(when(event.at, "quiet"));
    for (const text of [event.message, event.reason])
        if (text)
            item.append(fact(text, { className: "quiet below", isKept: true }));
    return item;
}

const OWN_RESTARTS = ["reload", "restart", "reexecute"];

function renderVerdict(status) {
    fill("verdict", status.verdict.sentence, place => place.append(fact(status.verdict.sentence)));
    byId("tone").setAttribute("class", `icon tone-${status.verdict.tone}`);
    byId("tone").firstElementChild.setAttribute("href", `#icon-${status.verdict.tone}`);
    list("attention", status.attention, drawAttention);
    show("attention", status.attention.length > 0);
    fill("summary", [status.version, status.baseline, status.state, status.last_check, status.repository],
         place => place.append(...drawSummary(status)));
}

function renderOffer(status, isIdle) {
    const offer = status.offer;
    // With an offer, the plan is the offer's.
    const plan = status.plan || [];
    show("offer", offer !== null);
    if (!offer)
        return;
    fill("offer-facts", [offer, status.staged], place => place.append(...drawOfferFacts(status)));
    list("offer-components", offer.components, drawComponent);
    fillPlan("offer-plan", label.planOffered, plan);
    setText("install-reason", !status.policy.install ? label.noInstall : "");
    enable("install", isIdle && status.policy.install);
    enable("install-tonight", isIdle && status.policy.install);
}

function renderInstalled(status, isIdle) {
    const plan = status.offer ? [] : status.plan || [];
    const mayRestart = status.offer ? status.waiting !== null : plan.some(action => OWN_RESTARTS.includes(action.action));
    const isRecalled = status.state === "recalled";
    show("nothing", status.level === null);
    show("remove", status.level !== null);
    fill("installed-facts", [status.level, status.waiting], place => place.append(...drawInstalledFacts(status)));
    list("components", status.level ? status.components : [], drawComponent);
    fillPlan("plan", label.plan, plan);
    setText("remove-reason", status.level && !status.policy.remove ? label.noRemove : "");
    enable("remove", isIdle && status.policy.remove);
    show("leave", isRecalled);
    enable("leave", isIdle && (status.policy.install || status.policy.remove));
    for (const id of ["restart", "restart-tonight"]) {
        show(id, mayRestart);
        enable(id, isIdle);
    }
}

function renderAutomatic(status) {
    const { level, managed } = status.automatic;
    byId("automatic").checked = level !== "off";
    byId("automatic").disabled = managed;
    show("level-row", level !== "off");
    if (level !== "off")
        byId("level").value = level;
    byId("level").disabled = managed;
    show("managed", managed);
    show("waits-row", status.waits.length > 0);
    list("waits", status.waits, wait => {
        const item = document.createElement("li");
        item.append(fact(wait, { text: words.wait(wait) }));
        return item;
    });
}

function renderJob(job, isOwn) {
    show("job", job !== null);
    if (!job)
        return;
    const bar = byId("bar");
    const part = job.total > 0 ? Math.min(job.done / job.total, 1) : null;
    setText("job-title", words.job(job.kind));
    show("job-other", !isOwn);
    setText("job-step", words.step(job.step));
    setText("percent", part === null ? "" : words.percent(part));
    bar.classList.toggle("unknown", part === null);
    byId("bar-done").style.inlineSize = part === null ? "" : `${part * 100}%`;
    if (part === null)
        bar.removeAttribute("aria-valuenow");
    else
        bar.setAttribute("aria-valuenow", String(Math.round(part * 100)));
    enable("cancel", !job.isCancelled);
}

function renderHistory(status) {
    const refused = listRefused(status);
    show("refused", refused.length > 0);
    list("refused-rows", refused, drawRefused);
    show("no-history", status.history.length === 0);
    list("history", status.history, drawEvent);
}

function renderMessages(state) {
    show("connecting", state.phase === "connecting" && !state.status);
    show("error", state.phase === "failed");
    setText("error-message", state.error ? words.error(state.error) : "");
    show("failure", state.failure !== null && state.phase !== "failed");
    setText("failure-title", state.failure ? words.failed(state.failure.kind) : "");
    setText("failure-message", state.failure ? state.failure.message : "");
    setText("note", state.note ? words.note(state.note) : "");
    show("content", state.status !== null);
}

/* What had the focus may be gone: then it goes on where the outcome stands. */
function keepFocus(before) {
    if (!before || before === document.body || before.checkVisibility())
        return;
    const next = [byId("job-title"), byId("verdict"), byId("retry")].find(element => element.checkVisibility());
    if (next)
        next.focus();
}

export function render(state, isOwn) {
    const { status, job } = state;
    const isIdle = !job && !state.pending;
    const focused = document.activeElement;
    renderMessages(state);
    if (status) {
        renderVerdict(status);
        renderOffer(status, isIdle);
        renderInstalled(status, isIdle);
        renderAutomatic(status);
        renderHistory(status);
        enable("check", isIdle);
    }
    renderJob(job, isOwn);
    document.body.setAttribute("aria-busy", String(state.phase === "connecting" || state.pending !== null || state.settings > 0));
    keepFocus(focused);
}
