/**
 * A method that the web framework can't take, TRACE for one, comes as OPTIONS with its name in this header, set by
 * lib/web/before-next.ts alone: only the API knows what a route allows instead.
 */
export const ASKED_METHOD_HEADER = "x-holdfast-asked-method";
