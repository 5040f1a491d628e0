/* The agent on D-Bus. What it says becomes one state, given to the listener whole whenever it changes; nobody else holds any. */
const cockpit = window.cockpit;

const NAME = "org.suture1";
const PATH = "/org/suture1";
const MANAGER = "org.suture1.Manager";
const JOB = "org.suture1.Job";
const PROPERTIES = "org.freedesktop.DBus.Properties";
const AGAIN_MS = 1000;

/* Of the sentences, as the agent takes it ("pt_BR"); null: its own. */
const LANGUAGE = readLanguage(cockpit.language || "en");

function readLanguage(text) {
    const [language, place] = text.split(/[-_]/);
    if (language === "en" || !/^[a-z]{2,3}$/.test(language))
        return null;
    return place ? `${language}_${place.toUpperCase()}` : language;
}

function readError(error) {
    const name = (error.name || "").replace(/^org\.suture1\.Error\./, "");
    return { name, problem: error.problem || null, message: error.message || name };
}

function plain(properties) {
    return Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, value.v]));
}

export class Agent {
    constructor(listener) {
        this.listener = listener;
        this.client = this.owner = null;
        this.own = new Set(); // paths of the jobs that were begun here
        this.state = {
            phase: "connecting", // "ready", "failed"
            error: null, // why it failed: { name, problem, message }; the problem is Cockpit's own name, of no answer at all
            status: null, // the agent's document
            job: null, // the one at work: { path, kind, step, done, total, isCancelled }
            failure: null, // of what was asked for last: { kind, message }
            note: null, // its end: { kind, end }
            pending: null, // the kind of job that is being begun
            settings: 0, // that have no answer yet
        };
    }

    set(changes) {
        this.state = { ...this.state, ...changes };
        this.listener(this.state);
    }

    /* Anew, as if the page had just been opened. */
    connect() {
        if (this.client) {
            const former = this.client;
            this.client = null;
            former.close();
        }
        const client = cockpit.dbus(NAME, { bus: "system", superuser: "try" });
        this.client = client;
        this.owner = null;
        this.reading = this.isStale = false;
        this.set({ phase: "connecting", error: null, job: null, pending: null });
        client.addEventListener("close", (_event, why) => this.client === client && this.fail(why || {}));
        client.addEventListener("owner", (_event, owner) => this.client === client && this.onOwner(owner));
        client.subscribe({ path_namespace: PATH }, (...signal) => this.client === client && this.onSignal(...signal));
        this.begin();
    }

    call(method, args = [], type = "", path = PATH, face = MANAGER) {
        // The agent may ask for a password: the session's polkit agent answers, or nobody does.
        return this.client.call(path, face, method, args, { type, flags: "i" });
    }

    async begin() {
        const client = this.client;
        try {
            await this.call("Subscribe");
            const [job] = await this.call("Get", [MANAGER, "Job"], "ss", PATH, PROPERTIES);
            if (job.v !== "/")
                await this.readJob(job.v);
            else
                this.set({ job: null });
            await this.read();
        } catch (error) {
            if (this.client === client)
                this.fail(error);
        }
    }

    fail(error) {
        this.set({ phase: "failed", error: readError(error), status: null, job: null, pending: null });
    }

    /* A new one does not know of us; when the last one is gone, a call brings the next. */
    onOwner(owner) {
        const known = this.owner;
        this.owner = owner;
        if (known && owner !== known && this.state.phase === "ready")
            this.begin();
    }

    /* One question at a time: what changes meanwhile is asked for afterwards. */
    async read() {
        if (this.reading) {
            this.isStale = true;
            return;
        }
        const client = this.client;
        this.reading = true;
        try {
            do {
                this.isStale = false;
                const [text] = await (LANGUAGE ? this.call("GetStatusIn", [LANGUAGE], "s") : this.call("GetStatus"));
                if (this.client !== client)
                    return;
                this.set({ phase: "ready", error: null, status: JSON.parse(text) });
            } while (this.isStale);
        } catch (error) {
            if (this.client !== client)
                return;
            if (readError(error).name === "Busy")
                window.setTimeout(() => this.client === client && this.read(), AGAIN_MS);
            else
                this.fail(error);
        } finally {
            if (this.client === client)
                this.reading = false;
        }
    }

    async readJob(path) {
        const [properties] = await this.call("GetAll", [JOB], "s", path, PROPERTIES);
        const job = plain(properties);
        if (job.State !== "running")
            return job;
        this.set({ job: { path, kind: job.Kind, step: job.Step, done: job.Done, total: job.Total, isCancelled: false } });
        return job;
    }

    onSignal(path, face, member, args) {
        if (face === MANAGER && member === "JobNew")
            this.set({ job: { path: args[1], kind: args[2], step: "", done: 0, total: 0, isCancelled: false } });
        else if (face === MANAGER && member === "JobRemoved")
            this.onRemoved(args[1], args[2], args[3]);
        else if (face === PROPERTIES && path === PATH)
            this.read();
        else if (face === PROPERTIES && this.state.job && path === this.state.job.path)
            this.onProgress(plain(args[1]));
    }

    onProgress(changed) {
        const { Step: step = this.state.job.step, Done: done = this.state.job.done, Total: total = this.state.job.total } = changed;
        this.set({ job: { ...this.state.job, step, done, total } });
    }

    async onRemoved(path, kind, error) {
        const client = this.client;
        if (this.state.job && this.state.job.path === path)
            this.set({ job: null });
        // The answer to the call that began it may come after its end.
        if (this.beginning)
            await this.beginning;
        if (this.own.has(path))
            await this.tell(path, kind, error);
        if (this.client === client)
            await this.read();
    }

    async tell(path, kind, error) {
        if (error === "")
            this.set({ note: { kind, end: "done" } });
        else if (error === "Cancelled")
            this.set({ note: { kind, end: "cancelled" } });
        else
            this.set({ failure: { kind, message: await this.readMessage(path, error) } });
    }

    async readMessage(path, error) {
        try {
            return (await this.readJob(path)).Message || error;
        } catch (gone) {
            return error;
        }
    }

    /* Begin a job; its end is told by a signal. */
    async start(kind, method, args, type) {
        if (this.state.job || this.state.pending)
            return;
        let isOver;
        this.beginning = new Promise(resolve => { isOver = resolve });
        this.set({ pending: kind, failure: null, note: null });
        try {
            const [path] = await this.call(method, args, type);
            this.own.add(path);
        } catch (error) {
            this.set({ failure: { kind, message: readError(error).message } });
        }
        this.beginning = null;
        isOver();
        this.set({ pending: null });
    }

    check() {
        return this.start("check", "Check", [], "");
    }

    install(restart) {
        return this.start("install", "Install", [{ restart: { t: "s", v: restart } }], "a{sv}");
    }

    remove() {
        return this.start("remove", "Remove", [{}], "a{sv}");
    }

    restart(when) {
        return this.start("restart", "Restart", [{ restart: { t: "s", v: when } }], "a{sv}");
    }

    async cancel() {
        const job = this.state.job;
        if (!job || job.isCancelled)
            return;
        this.set({ job: { ...job, isCancelled: true } });
        try {
            await this.call("Cancel", [], "", job.path, JOB);
        } catch (error) {
            // It may have come to its end before.
            if (this.state.job && this.state.job.path === job.path)
                this.set({ job: { ...this.state.job, isCancelled: false }, failure: { kind: "cancel", message: readError(error).message } });
        }
    }

    /* May be called again before the answer is there: the last word counts, for the agent too. */
    async setAutomatic(level) {
        this.set({ settings: this.state.settings + 1, failure: null, note: null });
        try {
            await this.call("SetAutomatic", [level], "s");
            await this.read();
        } catch (error) {
            this.set({ failure: { kind: "automatic", message: readError(error).message } });
        }
        this.set({ settings: this.state.settings - 1 });
    }

    isOwn(job) {
        return this.own.has(job.path) || this.state.pending === job.kind;
    }

    dismiss() {
        this.set({ failure: null });
    }
}
