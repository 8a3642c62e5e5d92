// npm run bench -- pages: server time of the main pages with a year of history, and the JavaScript of a first load.
import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { get } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { startInstall } from "../e2e/install.ts";
import { freePort } from "../lib/testing/postgres.ts";
import { seedPages } from "./pages-seed.ts";

const LOAD = { databases: 500, backups: 200_000, operations: 1_000_000 };
const LIMIT_MS = 150;
const LIMIT_JS = 230_000;
const ROUNDS = 100;
const TARGETS: [name: string, page: string, api: string][] = [
  ["Overview", "/", "/api/v1/overview"],
  ["Databases", "/databases", "/api/v1/databases"],
  ["Backups", "/backups", "/api/v1/backups"],
  ["Backups, failed proofs", "/backups?verdict=failed", "/api/v1/backups?verdict=failed"],
  ["Operations", "/operations", "/api/v1/operations"],
  ["Operations, failed", "/operations?state=failed", "/api/v1/operations?state=failed"],
];

interface Answer {
  ms: number;
  /** As sent: compressed. */
  bytes: number;
  body: string;
  status: number;
}

/** One GET over a fresh request, timed to the last byte. */
async function fetchOnce(url: string, headers: Record<string, string>): Promise<Answer> {
  const started = performance.now();
  return await new Promise((resolve, reject) => {
    get(url, { headers }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("end", () => {
        const all = Buffer.concat(parts);
        resolve({
          ms: performance.now() - started,
          bytes: all.length,
          body: all.toString("utf8"),
          status: response.statusCode ?? 0,
        });
      });
    }).once("error", reject);
  });
}

async function p95(url: string, headers: Record<string, string>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const { ms, status } = await fetchOnce(url, headers);
    if (status !== 200) throw new Error(`${url} answered ${status}`);
    times.push(ms);
  }
  times.sort((a, b) => a - b);
  return times[Math.ceil(times.length * 0.95) - 1] ?? 0;
}

/** Claims the install and signs in as people do; returns the Cookie header. */
async function signIn(url: string, claimToken: string): Promise<string> {
  const account = { email: "bench@example.com", password: randomBytes(12).toString("hex") };
  const claimed = await fetch(`${url}/api/v1/claim`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: url },
    body: JSON.stringify({ ...account, name: "Bench", token: claimToken }),
  });
  if (!claimed.ok) throw new Error(`The account could not be claimed: ${await claimed.text()}`);
  const first = await fetch(`${url}/api/auth/csrf`);
  const { csrfToken } = (await first.json()) as { csrfToken: string };
  const jar = (answer: Response) => answer.headers.getSetCookie().map((cookie) => cookie.split(";")[0] ?? "");
  const signedIn = await fetch(`${url}/api/auth/callback/credentials`, {
    method: "POST",
    redirect: "manual",
    headers: { cookie: jar(first).join("; "), "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ ...account, csrfToken, json: "true" }),
  });
  return [...jar(first), ...jar(signedIn)].join("; ");
}

/** Bytes on the wire (gzip) of all scripts that a page's HTML asks for at once. */
async function firstLoadJs(url: string, page: string, cookie: string): Promise<number> {
  const { body } = await fetchOnce(`${url}${page}`, { cookie });
  // Scripts for browsers without modules are not loaded by any that this page supports.
  const tags = [...body.matchAll(/<(?:script|link)[^>]*>/g)]
    .map(([tag]) => tag)
    .filter((tag) => !/nomodule/i.test(tag));
  const found = tags.flatMap((tag) => /(?:src|href)="(\/_next\/[^"]+\.js[^"]*)"/.exec(tag)?.[1] ?? []);
  const sources = new Set(found);
  let sum = 0;
  for (const source of sources) {
    sum += (
      await fetchOnce(`${url}${source.replaceAll("&amp;", "&")}`, { cookie, "accept-encoding": "gzip" })
    ).bytes;
  }
  return sum;
}

const folder = await mkdtemp(path.join(tmpdir(), "hf-bench-"));
// The database server's own user has to get through.
await chmod(folder, 0o755);
const install = await startInstall({ port: await freePort(), dataFolder: path.join(folder, "data") });
try {
  const { ownerDatabaseUrl } = JSON.parse(await readFile(path.join(install.dataFolder, "run.json"), "utf8"));
  const cookie = await signIn(install.url, install.claimToken ?? "");
  console.log(
    `Seeding ${LOAD.databases} databases, ${LOAD.backups} backups, ${LOAD.operations} operations …`,
  );
  await seedPages(ownerDatabaseUrl, LOAD);
  console.log(
    `\n| page | HTML p95, ms | data p95, ms | both / ${LIMIT_MS} ms | first-load JS, kB gzip | / ${LIMIT_JS / 1000} kB |`,
  );
  console.log("|---|---|---|---|---|---|");
  for (const [name, page, api] of TARGETS) {
    await fetchOnce(`${install.url}${page}`, { cookie });
    const html = await p95(`${install.url}${page}`, { cookie });
    const data = await p95(`${install.url}${api}`, { cookie });
    const js = await firstLoadJs(install.url, page, cookie);
    const time = ((html + data) / LIMIT_MS).toFixed(2);
    console.log(
      `| ${name} | ${html.toFixed(0)} | ${data.toFixed(0)} | ${time} | ${(js / 1000).toFixed(0)} | ${(js / LIMIT_JS).toFixed(2)} |`,
    );
  }
} finally {
  await install.stop();
  await rm(folder, { recursive: true, force: true });
}
