/* Light or dark as the shell says; as the desktop says where the shell leaves it open. Cockpit's own class is what the style
 * sheet goes by, whoever set it. A script of its own, before anything is drawn. */
(function () {
    "use strict";
    const desktop = window.matchMedia("(prefers-color-scheme: dark)");
    let chosen = null;

    function read() {
        try {
            return window.localStorage.getItem("shell:style");
        } catch (error) {
            return null; // storage may be forbidden
        }
    }

    function apply() {
        const style = chosen || read() || "auto";
        const dark = style === "dark" || (style === "auto" && desktop.matches);
        document.documentElement.classList.toggle("pf-theme-dark", dark);
        document.documentElement.classList.toggle("pf-v6-theme-dark", dark);
    }

    desktop.addEventListener("change", apply);
    window.addEventListener("storage", event => event.key === "shell:style" && apply());
    // What the shell tells the pages that are open.
    window.addEventListener("cockpit-style", event => {
        chosen = event.detail && event.detail.style;
        apply();
    });
    apply();
})();
