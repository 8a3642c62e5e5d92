import { z } from "zod";
import { HoldfastError } from "../errors.ts";

/** In a destination's root: whose it is, and that it is the right place. */
export const MARKER = ".holdfast-destination.json";

const markerSchema = z.object({ format: z.literal("holdfast-destination/1"), installId: z.string() });

export function markerText(installId: string): string {
  return `${JSON.stringify({ format: "holdfast-destination/1", installId })}\n`;
}

/** Throws `conflict` unless the marker is of this install. `where` names the place in the message. */
export function readMarker(text: string, installId: string, where: string): void {
  const marker = markerSchema.safeParse(parseJson(text));
  if (!marker.success) {
    throw new HoldfastError("conflict", `The marker file in ${where} can't be read.`, {
      remedy: `Look at ${MARKER} there; if no install uses this place, remove the file.`,
    });
  }
  if (marker.data.installId !== installId) {
    throw new HoldfastError("conflict", `${where} belongs to another install of Holdfast.`, {
      remedy: "Choose a place of its own for each install.",
    });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
