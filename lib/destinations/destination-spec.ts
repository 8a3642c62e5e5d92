import type { Destination } from "../db/generated/client.ts";
import type { Keyring } from "../secrets/keyring.ts";
import { destinationAad } from "../secrets/sealed-columns.ts";
import type { DestinationSpec } from "../transfer/schema.ts";

/** A destination as adapters and transfers get it, secret opened; lives in memory only. */
export function destinationSpec(
  row: Pick<Destination, "id" | "name" | "kind" | "config" | "secretSealed">,
  keyring: Keyring,
): DestinationSpec {
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    config: row.config as Record<string, unknown>,
    ...(row.secretSealed === null ? {} : { secret: keyring.open(row.secretSealed, destinationAad(row.id)) }),
  };
}
