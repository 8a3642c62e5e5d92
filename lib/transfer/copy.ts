import { throwIfAborted } from "../abort.ts";
import type { Artefact } from "../backups/manifest.ts";
import { manifestSchema } from "../backups/manifest.ts";
import { storageFor } from "../storage/registry.ts";
import type { CopyFault } from "./copy-reader.ts";
import { CopyReader } from "./copy-reader.ts";
import { FanOut } from "./fan-out.ts";
import type { TransferIo } from "./io.ts";
import { rateMeter } from "./rate.ts";
import type { CopyResult, CopySpec } from "./schema.ts";
import { storeAgain } from "./store-artefact.ts";

/**
 * Makes further copies of a backup from one that is there, as it lies there: no key is needed. Every byte is hashed
 * on the way, and a file is published only when it is what the manifest says; the manifest itself comes last. When
 * the source is not as it was published nothing stays anywhere, and the answer says what is wrong with it. Throws
 * unless at least one destination holds the whole copy.
 */
export async function runCopy(spec: CopySpec, io: TransferIo): Promise<CopyResult> {
  const { installId, signal } = { ...spec, signal: io.signal };
  const manifest = manifestSchema.parse(JSON.parse(spec.manifestText));
  const source = storageFor({ ...spec.source, installId });
  const reader = new CopyReader(source, { ...spec, path: spec.sourcePath, identities: [] }, manifest);
  const total = manifest.artefacts.reduce((sum, artefact) => sum + artefact.bytes, 0);
  reader.onBytes = rateMeter({ label: `Copy from ${spec.source.name}`, unit: "bytes", total }, io.progress);

  io.step("Look at the copy");
  const absent = await reader.checkPresent();
  if (absent) return { fault: absent, copies: [] };

  io.step("Copy", `${manifest.artefacts.length + 2} files at ${spec.source.name}`);
  const targets = spec.destinations.map((one) => ({
    id: one.id,
    name: one.name,
    storage: storageFor({ ...one, installId }),
  }));
  const fanOut = new FanOut(targets, spec.path, {
    log: (line, level) => io.log(line, level),
    remedy: "Look at the destinations under Settings, then make the copy again.",
    ...(spec.detachAfterMs === undefined ? {} : { detachAfterMs: spec.detachAfterMs }),
  });
  try {
    const fault = await copyAll(manifest.artefacts, reader, fanOut, signal);
    if (fault) {
      await fanOut.abort();
      return { fault, copies: [] };
    }
    io.step("Publish", `from ${spec.source.name}, sha256 as published`);
    for (const { file } of manifest.artefacts) await fanOut.publish(file);
    if (reader.restoreText !== null) await fanOut.put("RESTORE.md", reader.restoreText);
    throwIfAborted(signal);
    await fanOut.put("manifest.json", spec.manifestText);
    throwIfAborted(signal);
    await fanOut.settled();
    return { fault: null, copies: fanOut.outcomes() };
  } catch (error) {
    await fanOut.abort();
    throw error;
  }
}

async function copyAll(
  artefacts: Artefact[],
  reader: CopyReader,
  fanOut: FanOut,
  signal: AbortSignal,
): Promise<CopyFault | null> {
  for (const artefact of artefacts) {
    const fault = await storeAgain(artefact, reader, fanOut, signal);
    if (fault) return fault;
  }
  return null;
}
