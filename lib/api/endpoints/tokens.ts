import { pageOf } from "../../paging.ts";
import { createToken } from "../../tokens/create-token.ts";
import { listTokens } from "../../tokens/list-tokens.ts";
import { revokeToken } from "../../tokens/revoke-token.ts";
import { createdTokenSchema, createTokenInput, listTokensQuery, tokenSchema } from "../../tokens/schema.ts";
import { endpoint } from "../endpoint.ts";

const tag = "API tokens";

export const tokenEndpoints = [
  endpoint({
    method: "GET",
    path: "/tokens",
    tag,
    summary: "API tokens, all or those of one owner; with whether each works",
    permission: "token.write",
    query: listTokensQuery,
    output: pageOf(tokenSchema),
    handle: (ctx, { query }) => listTokens(ctx, query),
  }),
  endpoint({
    method: "POST",
    path: "/tokens",
    tag,
    summary: "Make an API token, answered once",
    permission: "token.write",
    body: createTokenInput,
    output: createdTokenSchema,
    status: 201,
    handle: (ctx, { body }) => createToken(ctx, body),
  }),
  endpoint({
    method: "DELETE",
    path: "/tokens/{token}",
    tag,
    summary: "Revoke an API token",
    permission: "token.write",
    status: 204,
    handle: (ctx, { params }) => revokeToken(ctx, { token: params.token ?? "" }),
  }),
];
