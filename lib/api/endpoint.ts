import type { z } from "zod";
import type { Permission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
type Infer<T> = T extends z.ZodType ? z.output<T> : undefined;

/**
 * One route of /api/v1. The same description serves requests, makes the OpenAPI document and is walked by the
 * test that tries every route as every role. `permission` is documentation and test material: the verb checks.
 */
export interface Endpoint<
  B extends z.ZodType | undefined = z.ZodType | undefined,
  Q extends z.ZodType | undefined = z.ZodType | undefined,
> {
  method: Method;
  /** "/backups/{backup}/verify"; each {name} is a string in `params`. */
  path: string;
  tag: string;
  summary: string;
  /** null: needs no sign-in. */
  permission: Permission | null;
  body?: B;
  query?: Q;
  /** zod shape of the JSON answer; absent for streams and 204. */
  output?: z.ZodType;
  /** 200 by default; 201 made, 202 queued, 204 nothing to say. */
  status?: 200 | 201 | 202 | 204;
  /** Content types of a streamed answer. */
  streams?: string[];
  handle(ctx: Ctx, request: EndpointRequest<Infer<B>, Infer<Q>>): Promise<unknown>;
}

export interface EndpointRequest<B, Q> {
  params: Record<string, string>;
  body: B;
  query: Q;
  /** Aborted when the client goes away. */
  signal: AbortSignal;
  headers: Headers;
}

/** Keeps the types of body and query inside `handle`; answers may be a value or a Response. */
export function endpoint<
  B extends z.ZodType | undefined = undefined,
  Q extends z.ZodType | undefined = undefined,
>(definition: Endpoint<B, Q>): Endpoint {
  return definition as unknown as Endpoint;
}
