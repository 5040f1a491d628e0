/* The page "Background Security Improvements": what is pressed goes to the agent, what the agent says is drawn. */
import { Agent } from "./agent.js";
import { render } from "./page.js";

const cockpit = window.cockpit;
const byId = id => document.getElementById(id);

function press(id, act) {
    byId(id).addEventListener("click", () => byId(id).getAttribute("aria-disabled") !== "true" && act());
}

function listen(agent) {
    press("retry", () => agent.connect());
    press("dismiss", () => agent.dismiss());
    press("check", () => agent.check());
    press("install", () => agent.install("now"));
    press("install-tonight", () => agent.install("tonight"));
    press("leave", () => agent.install("when-due"));
    press("restart", () => agent.restart("now"));
    press("restart-tonight", () => agent.restart("tonight"));
    press("cancel", () => agent.cancel());
    press("remove", () => {
        byId("remove-dialog").returnValue = "";
        byId("remove-dialog").showModal();
    });
    byId("remove-dialog").addEventListener("close", () => byId("remove-dialog").returnValue === "remove" && agent.remove());
}

/* The knob is moved by what the agent says afterwards: a refusal leaves it where it was. */
function listenAutomatic(agent) {
    let level = "install"; // what it is switched on to
    byId("automatic").addEventListener("click", event => {
        event.preventDefault();
        const present = agent.state.status.automatic.level;
        if (present !== "off")
            level = present;
        agent.setAutomatic(present === "off" ? level : "off");
    });
    byId("level").addEventListener("change", () => {
        const wanted = byId("level").value;
        byId("level").value = agent.state.status.automatic.level;
        agent.setAutomatic(wanted);
    });
}

cockpit.translate();
document.documentElement.lang = (cockpit.language || "en").replace("_", "-");
document.documentElement.dir = cockpit.language_direction || "ltr";
const agent = new Agent(state => render(state, state.job !== null && agent.isOwn(state.job)));
listen(agent);
listenAutomatic(agent);
agent.connect();
