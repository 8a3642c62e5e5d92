// npm run migrate: brings the database of HOLDFAST_OWNER_DATABASE_URL (or DATABASE_URL) up to this version.
import { migrate } from "../lib/db/migrate.ts";
import { parseEnv } from "../lib/env.ts";
import { HoldfastError } from "../lib/errors.ts";
import { prepareQueues } from "../lib/operations/prepare-queues.ts";
import { explain } from "../lib/start/explain.ts";
import { complain, say } from "./progress.mjs";

try {
  const env = parseEnv(process.env);
  const ownerUrl = env.HOLDFAST_OWNER_DATABASE_URL ?? env.DATABASE_URL;
  if (!ownerUrl) {
    throw new HoldfastError("invalid", "Neither HOLDFAST_OWNER_DATABASE_URL nor DATABASE_URL is set.", {
      remedy: "Set it to the Postgres that holds Holdfast's data; npm start needs no migrate.",
    });
  }
  const applied = await migrate(ownerUrl);
  await prepareQueues(ownerUrl);
  say(
    applied.length > 0 ? `Applied: ${applied.join(", ")}` : "Nothing to apply; the database is up to date.",
  );
} catch (error) {
  complain(explain(error));
  process.exit(1);
}
process.exit(0);
