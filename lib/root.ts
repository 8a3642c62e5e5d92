import path from "node:path";

const here: string | undefined = import.meta.dirname;

/**
 * The project's folder. Bundled code does not know where it came from; the web process, the only one that runs
 * such code, runs in the project's folder.
 */
export const ROOT = here === undefined ? /* turbopackIgnore: true */ process.cwd() : path.dirname(here);
