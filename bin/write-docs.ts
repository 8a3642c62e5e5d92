// npm run docs: writes the pages of docs/ that are made from the code.
import { writeFileSync } from "node:fs";
import path from "node:path";
import { ROOT } from "../lib/root.ts";
import { settingsDocument } from "../lib/settings-document.ts";

writeFileSync(path.join(ROOT, "docs/settings.md"), settingsDocument());
