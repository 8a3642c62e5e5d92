import type { DestinationKind } from "./schema.ts";

/** Where a destination is, in one line; two with the same line are the same place. */
export function placeOf(kind: DestinationKind, config: Record<string, unknown>): string {
  const text = (name: string) => String(config[name] ?? "");
  switch (kind) {
    case "local":
      return text("folder");
    case "s3": {
      const folder = text("prefix") === "" ? "" : `/${text("prefix")}`;
      const endpoint = text("endpoint").replace(/\/+$/, "");
      return `s3://${text("bucket")}${folder} at ${endpoint === "" ? `Amazon, ${text("region")}` : endpoint}`;
    }
    case "sftp": {
      const port = config.port === 22 ? "" : `:${text("port")}`;
      const host = text("host").includes(":") ? `[${text("host")}]` : text("host");
      return `sftp://${host}${port}${text("folder")}`;
    }
  }
}
