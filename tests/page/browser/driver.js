// A browser, driven by lines of JSON: {"do": NAME, ...} in, {"result": ...} or {"error": ...} out. driver.js CHROMIUM
"use strict";
const readline = require("readline");
const { chromium } = require("playwright-core");

const TIMEOUT = 10000;
let browser;
let context;
let page;
let complaints = [];

const actions = {
    // A page of its own, without what the last one left.
    async open({ url, cookies = [], storage = {}, ...options }) {
        await actions.close();
        complaints = [];
        context = await browser.newContext({ timezoneId: "UTC", locale: "en-GB", ...options });
        await context.addCookies(cookies.map(cookie => ({ ...cookie, url })));
        await context.addInitScript(entries => Object.entries(entries).forEach(entry => localStorage.setItem(...entry)), storage);
        page = await context.newPage();
        page.setDefaultTimeout(TIMEOUT);
        page.on("console", message => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
        page.on("pageerror", error => complaints.push(String(error)));
        page.on("requestfailed", request => complaints.push(`${request.url()}: ${request.failure().errorText}`));
        await page.goto(url);
    },
    async close() {
        if (context)
            await context.close();
        context = page = null;
    },
    complaints: () => complaints,
    forget: () => { complaints = [] },
    evaluate: ({ code }) => page.evaluate(code),
    // Playwright's own waiting evaluates text within the page, which its policy forbids.
    async wait({ code }) {
        for (const end = Date.now() + TIMEOUT; !await page.evaluate(code);) {
            if (Date.now() > end)
                throw new Error("it does not come");
            await new Promise(resolve => setTimeout(resolve, 25));
        }
    },
    click: ({ selector, force }) => page.click(selector, { force }),
    select: ({ selector, value }) => page.selectOption(selector, value).then(() => null),
    press: ({ key }) => page.keyboard.press(key),
    // What a screen reader is given.
    aria: ({ selector }) => page.locator(selector).ariaSnapshot(),
    screenshot: ({ path, fullPage }) => page.screenshot({ path, fullPage, animations: "disabled" }).then(() => null),
};

async function main() {
    browser = await chromium.launch({ executablePath: process.argv[2], chromiumSandbox: false,
                                      args: ["--disable-gpu", "--force-color-profile=srgb"] });
    for await (const line of readline.createInterface({ input: process.stdin })) {
        const { do: name, ...options } = JSON.parse(line);
        let answer;
        try {
            answer = { result: await actions[name](options) };
        } catch (error) {
            answer = { error: String(error.message || error) };
        }
        process.stdout.write(`${JSON.stringify(answer)}\n`);
    }
    await browser.close();
}

main();
