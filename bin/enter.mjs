// Runs on any Node that knows modules, in words that Node 12 reads: an old one gets a sentence, not a syntax error.
import path from "node:path";

const OLDEST = 20;

/** Entry of every program in bin: checks Node, then installs what is missing and runs `main` (see bootstrap.mjs). */
export function enter(main, options) {
  if (Number.parseInt(process.versions.node, 10) < OLDEST) {
    process.stderr.write(`${tooOld()}\n`);
    process.exit(1);
  }
  import("./bootstrap.mjs").then((bootstrap) => bootstrap.boot(() => main(bootstrap), options));
}

function tooOld() {
  const { arch, argv, platform, version } = process;
  // Named by platform it needs no install script.
  const from = platform === "linux" ? `node-linux-${arch}@24` : "node@24";
  const program = [path.relative(process.cwd(), argv[1]), ...argv.slice(2)].join(" ");
  return `Holdfast needs Node ${OLDEST} or later and this is ${version}; run it with one from npm: npx -p ${from} node ${program} (or install one: https://nodejs.org/en/download)`;
}
