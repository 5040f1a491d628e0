/* What the page itself says: names for values of the status document, dates and sizes. The facts are the document's. */
const cockpit = window.cockpit;
const _ = cockpit.gettext;

/* Cockpit's language as the browser's user writes it: "en" may be en-GB. */
function language() {
    const chosen = (cockpit.language || "en").replace("_", "-");
    return navigator.languages.find(own => own.split("-")[0] === chosen) || chosen;
}

const SEVERITIES = { low: _("Low"), moderate: _("Moderate"), high: _("High"), critical: _("Critical") };

const FITS = {
    fixed: _("Fixed by the system itself"),
    missing: _("Not in place"),
    superseded: _("Replaced by the system's packages"),
};

const STATES = {
    suspended: _("Suspended"),
    disabled: _("Disabled"),
    inactive: _("Inactive"),
    incomplete: _("Incomplete"),
    baseline: _("Baseline"),
    recalled: _("Recalled"),
    watched: _("Being watched"),
    waiting: _("Restarts are waiting"),
    active: _("Active"),
};

const WAITS = {
    metered: _("A network that is not metered"),
    battery: _("Mains, or more in the battery"),
    "in-use": _("Nobody at work here"),
    window: _("The maintenance window"),
};

const EVENTS = {
    install: _("Installation"),
    remove: _("Removal"),
    download: _("Download"),
    "take-back": _("Taken back"),
    restart: _("Restarts"),
    resume: _("Put back after package management"),
    activate: _("Activation at boot"),
    retire: _("Retired"),
    "fall-back": _("Left off at boot"),
};

const JOBS = {
    check: _("Checking"),
    install: _("Installing"),
    remove: _("Removing"),
    restart: _("Restarting"),
    watch: _("Watching"),
    update: _("Updating"),
};

const STEPS = {
    "ask the repository": _("Asking the repository"),
    "check the baseline": _("Checking the baseline"),
    download: _("Downloading"),
    "rebuild image": _("Rebuilding an image"),
    "find exposed processes": _("Looking for programs that run old code"),
    swap: _("Putting it in place"),
    restart: _("Restarting what runs old code"),
    watch: _("Watching what was restarted"),
};

const DONE = {
    check: _("The check is done."),
    install: _("The installation is done."),
    remove: _("The removal is done."),
    restart: _("The restarts are done."),
};

const PROBLEMS = {
    "not-found": _("The agent, sutured, is not there."),
    disconnected: _("The connection to this system is gone."),
    terminated: _("The connection to this system is gone."),
    "access-denied": _("The agent may not be asked."),
};

const FAILED = {
    check: _("The check failed"),
    install: _("The installation failed"),
    remove: _("The removal failed"),
    restart: _("The restart failed"),
    cancel: _("It cannot be cancelled"),
    automatic: _("The setting was not changed"),
};

/* Of what nobody foresaw the name itself is shown. */
const name = table => value => Object.hasOwn(table, value) ? table[value] : value;

export const severity = name(SEVERITIES);
export const fit = name(FITS);
export const state = name(STATES);
export const wait = name(WAITS);
export const event = name(EVENTS);
export const job = name(JOBS);
export const step = name(STEPS);
export const failed = name(FAILED);

export function error({ problem, message }) {
    return problem ? name(PROBLEMS)(problem) : message;
}

export function note({ kind, end }) {
    return end === "cancelled" ? _("It was cancelled.") : name(DONE)(kind);
}

const GOOD_CHECKS = ["Offered", "UpToDate", "Recalled", "NotOffered"];

export function isGoodCheck(check) {
    return GOOD_CHECKS.includes(check.outcome);
}

export function time(at) {
    return new Intl.DateTimeFormat(language(), { dateStyle: "medium", timeStyle: "short" }).format(new Date(at));
}

export function bytes(count) {
    const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
    let unit = 0;
    for (; count >= 1000 && unit < units.length - 1; unit++)
        count /= 1000;
    return new Intl.NumberFormat(language(), { style: "unit", unit: units[unit], unitDisplay: "short", maximumFractionDigits: 1 }).format(count);
}

export function percent(part) {
    return new Intl.NumberFormat(language(), { style: "percent" }).format(part);
}

export function fixes(count) {
    return cockpit.format(cockpit.ngettext("$0 fix", "$0 fixes", count), count);
}

export const label = {
    version: _("Version"),
    system: _("System"),
    state: _("State"),
    lastCheck: _("Last check"),
    never: _("Never"),
    checkFailed: _("Failed"),
    repository: _("Repository"),
    published: _("Published"),
    download: _("Download, at least"),
    staged: _("Downloaded already"),
    level: _("Level"),
    waitingSince: _("Restarts wait since"),
    opens: _("Restarts not before"),
    due: _("Due"),
    overdue: _("Overdue"),
    planOffered: _("What has to be restarted afterwards"),
    plan: _("What still runs old code"),
    replacedBy: _("replaced by"),
    newTab: _("(opens in a new tab)"),
    baseline: _("Baseline"),
    removed: _("Removed; not installed again by itself"),
    recalled: _("Recalled by its publisher"),
    quarantined: _("Failed on this system"),
    failed: _("Failed"),
    noInstall: _("This system's policy does not allow installations."),
    noRemove: _("This system's policy does not allow removals."),
};
