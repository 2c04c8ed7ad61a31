// browser.mjs - what a person would see of pages, as JSON: opens each in headless Chromium, light and dark.
//
//   node browser.mjs CHROMIUM BASE_URL '{"/path": "expression", ...}' [DIRECTORY for screenshots]
//
// Prints [{path, scheme, errors, foreign, text, value}]: errors are exceptions, console errors and failed requests;
// foreign the requests to any other host; value what the expression gives on the page. Speaks the browser's own
// protocol over a pipe, so that it needs nothing but Node.

import {spawn} from "node:child_process";
import {mkdtempSync, rmSync, writeFileSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";

const [chromium, base, pages, shots] = process.argv.slice(2);
const PATIENCE = 30000;

const profile = mkdtempSync(join(tmpdir(), "clv-browser-"));
// no sandbox: it needs what containers seldom grant, and the pages are our own
const browser = spawn(chromium, ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
  "--hide-scrollbars",
  "--no-first-run", "--disable-background-networking", "--disable-component-update", `--user-data-dir=${profile}`,
  "--remote-debugging-pipe", "about:blank"], {stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
  detached: true});

const waiting = new Map();
let listener = () => {};
let number = 0;
let pending = "";

browser.stdio[4].setEncoding("utf8").on("data", (text) => {
  const messages = (pending + text).split("\0");
  pending = messages.pop();
  for (const message of messages.map((m) => JSON.parse(m))) {
    if (!message.id) {
      listener(message);
      continue;
    }
    const {resolve, reject} = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.error) reject(new Error(message.error.message));
    else resolve(message.result);
  }
});
browser.on("error", fail);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => finish(1));
browser.on("exit", (code) => fail(new Error(`${chromium} ended with ${code}`)));

function fail(error) {
  console.error(error.message);
  finish(1);
}

// The browser goes first, with all its processes: they write to the profile to the last.
function finish(code) {
  const clear = () => {
    rmSync(profile, {recursive: true, force: true, maxRetries: 20, retryDelay: 100});
    process.exit(code);
  };
  browser.removeAllListeners("exit");
  if (browser.exitCode !== null || !browser.pid) clear();
  browser.on("exit", clear);
  setTimeout(() => process.kill(-browser.pid, "SIGKILL"), 5000).unref();
  send("Browser.close").catch(() => {});
}

function send(method, params = {}, sessionId = undefined) {
  const id = ++number;
  browser.stdio[3].write(`${JSON.stringify({id, method, params, sessionId})}\0`);
  return new Promise((resolve, reject) => waiting.set(id, {resolve, reject}));
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Events of a page become errors, or requests to other hosts.
function watch(seen) {
  const urls = new Map();
  const wants = {
    "Runtime.exceptionThrown": ({exceptionDetails: e}) => seen.errors.push(e.exception?.description ?? e.text),
    "Runtime.consoleAPICalled": ({type, args}) =>
      type === "error" && seen.errors.push(args.map((a) => a.value ?? a.description).join(" ")),
    "Log.entryAdded": ({entry}) => entry.level === "error" && !/favicon\.ico/.test(entry.url ?? "") &&
      seen.errors.push(`${entry.text} ${entry.url ?? ""}`),
    "Network.requestWillBeSent": ({requestId, request: {url}}) => {
      urls.set(requestId, url);
      if (!url.startsWith(base) && !url.startsWith("data:") && !url.startsWith("blob:")) seen.foreign.push(url);
    },
    "Network.loadingFailed": ({requestId, errorText, canceled}) =>
      !canceled && seen.errors.push(`${errorText} ${urls.get(requestId)}`)
  };
  listener = ({method, params}) => wants[method]?.(params);
}

const READY = `document.readyState === "complete" &&
  !document.querySelector("observablehq-loading, .observablehq--loading") &&
  document.querySelectorAll("figure.chart").length > 0 &&
  [...document.querySelectorAll("figure.chart")].every(
    (f) => f.querySelector("svg, table") || f.children.length === 1)`;

async function look(path, expression, scheme) {
  const seen = {path, scheme, errors: [], foreign: []};
  const {targetId} = await send("Target.createTarget", {url: "about:blank"});
  const {sessionId} = await send("Target.attachToTarget", {targetId, flatten: true});
  const page = (method, params) => send(method, params, sessionId);
  const value = async (code) => {
    const {result, exceptionDetails} = await page("Runtime.evaluate", {expression: code, returnByValue: true});
    if (exceptionDetails) throw new Error(`${path}: ${exceptionDetails.exception?.description}`);
    return result.value;
  };

  watch(seen);
  for (const domain of ["Page", "Runtime", "Log", "Network"]) await page(`${domain}.enable`);
  const size = (height) => page("Emulation.setDeviceMetricsOverride",
    {width: 1280, height, deviceScaleFactor: 1, mobile: false});
  await size(900);
  await page("Emulation.setEmulatedMedia", {features: [{name: "prefers-color-scheme", value: scheme}]});
  await page("Page.navigate", {url: base + path});
  const since = Date.now();
  while (!(await value(READY))) {
    if (Date.now() - since > PATIENCE) {
      seen.errors.push(`not ready after ${PATIENCE / 1000} s`);
      break;
    }
    await pause(100);
  }
  await pause(200);
  seen.text = await value("document.body.innerText");
  if (shots) {
    await size(await value("document.documentElement.scrollHeight"));
    await pause(300);
    const {data} = await page("Page.captureScreenshot", {format: "png"});
    writeFileSync(join(shots, `${path.replace(/\W/g, "") || "base"}-${scheme}.png`), Buffer.from(data, "base64"));
  }
  seen.value = await value(expression);
  await send("Target.closeTarget", {targetId});
  return seen;
}

setTimeout(() => fail(new Error("the pages took too long")), 240000).unref();
try {
  const result = [];
  for (const [path, expression] of Object.entries(JSON.parse(pages))) {
    for (const scheme of ["light", "dark"]) result.push(await look(path, expression, scheme));
  }
  console.log(JSON.stringify(result));
  finish(0);
} catch (error) {
  fail(error);
}
