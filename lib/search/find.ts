import type { z } from "zod";
import type { Permission } from "../auth/permissions.ts";
import { requirePermission, roleAllows } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import { textCondition } from "../databases/list-databases.ts";
import { scopeConditions } from "../databases/select-databases.ts";
import { escapeLike } from "../db/escape-like.ts";
import { Prisma } from "../db/generated/client.ts";
import { pageEntries, pageHit } from "./pages.ts";
import type { SearchHit } from "./schema.ts";
import { searchQuery } from "./schema.ts";

/** Operations are looked through back to here; older ones are found by id, or in the ledger by filter. */
const NEWEST_OPERATIONS = 5000;

/** What the text is found in, within the actor's limits: things by name first, then work, then pages. */
export async function find(ctx: Ctx, input: z.input<typeof searchQuery>): Promise<{ items: SearchHit[] }> {
  requirePermission(ctx, "read");
  const { q, limit } = searchQuery.parse(input);
  const found = await Promise.all([
    findDatabases(ctx, q, limit),
    findPlaces(ctx, q, limit),
    findBackups(ctx, q, limit),
    findPolicies(ctx, q, limit),
    findOperations(ctx, q, limit),
    findMembers(ctx, q, limit),
  ]);
  return { items: [...found.flat(), ...findPages(ctx, q, limit)] };
}

function allowed(ctx: Ctx, permission: Permission): boolean {
  const { actor } = ctx;
  if (actor.kind !== "user" && actor.kind !== "token") return true;
  return roleAllows(actor.role, permission) && (permission !== "member.read" || !isLimited(ctx));
}

function isLimited(ctx: Ctx): boolean {
  return scopeConditions(ctx.actor).length > 0;
}

function within(ctx: Ctx): Prisma.Sql {
  return Prisma.join([Prisma.sql`TRUE`, ...scopeConditions(ctx.actor)], " AND ");
}

/** First and last id that begins with the text, or null when the text can't be the beginning of one. */
export function idRange(text: string): { first: string; last: string } | null {
  const hex = text.toLowerCase().replaceAll("-", "");
  if (!/^[0-9a-f]{6,32}$/.test(hex) || !/^[0-9a-f-]+$/i.test(text)) return null;
  const whole = (filler: string) =>
    hex.padEnd(32, filler).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  return { first: whole("0"), last: whole("f") };
}

async function findDatabases(ctx: Ctx, q: string, limit: number): Promise<SearchHit[]> {
  const rows = await ctx.db.$queryRaw<
    { id: string; name: string; application: string; environment: string }[]
  >`
    SELECT d.id::text, d.name, d.application, v.name AS environment
    FROM database d JOIN environment v ON v.id = d.environment_id
    WHERE ${within(ctx)} AND ${textCondition(q)}
    ORDER BY (d.archived_at IS NOT NULL), NOT starts_with(d.name, lower(${q})), d.name LIMIT ${limit}`;
  return rows.map((row) => ({
    kind: "database",
    id: row.id,
    title: row.name,
    detail: `${row.application} · ${row.environment}`,
    href: `/databases/${row.name}`,
  }));
}

/** Environments and destinations; they concern everybody and have a page of their own in the settings. */
async function findPlaces(ctx: Ctx, q: string, limit: number): Promise<SearchHit[]> {
  if (isLimited(ctx)) return [];
  const where = { name: { contains: escapeLike(q), mode: "insensitive" as const } };
  const [environments, destinations] = await Promise.all([
    ctx.db.environment.findMany({ where, orderBy: { position: "asc" }, take: limit }),
    ctx.db.destination.findMany({
      where: { ...where, archivedAt: null },
      orderBy: { name: "asc" },
      take: limit,
    }),
  ]);
  const hit = (
    kind: "environment" | "destination",
    row: { id: string; name: string },
    detail: string,
  ): SearchHit => ({
    kind,
    id: row.id,
    title: row.name,
    detail,
    href: `/settings/${kind}s`,
  });
  return [
    ...environments.map((row) => hit("environment", row, row.protected ? "protected" : "environment")),
    ...destinations.map((row) => hit("destination", row, row.kind)),
  ];
}

async function findBackups(ctx: Ctx, q: string, limit: number): Promise<SearchHit[]> {
  const range = idRange(q);
  const matches = range
    ? Prisma.sql`b.id BETWEEN ${range.first}::uuid AND ${range.last}::uuid`
    : Prisma.sql`d.name ILIKE ${`%${escapeLike(q)}%`}`;
  // Per database the newest, so that a name that many backups share costs no more than its databases.
  const rows = await ctx.db.$queryRaw<{ id: string; name: string; at: Date; state: string }[]>`
    SELECT b.id::text, d.name, b.created_at AS at, coalesce(b.proof_verdict::text, b.state::text) AS state
    FROM database d JOIN environment v ON v.id = d.environment_id
    CROSS JOIN LATERAL (SELECT b.* FROM backup b WHERE b.database_id = d.id
      ${range ? Prisma.sql`AND ${matches}` : Prisma.empty} ORDER BY b.created_at DESC, b.id DESC LIMIT 3) AS b
    WHERE ${within(ctx)} AND ${range ? Prisma.sql`d.id IN (SELECT b.database_id FROM backup b WHERE ${matches})` : matches}
    ORDER BY b.created_at DESC, b.id DESC LIMIT ${limit}`;
  return rows.map((row) => ({
    kind: "backup",
    id: row.id,
    title: `Backup of ${row.name}`,
    detail: `${row.at.toISOString().slice(0, 16).replace("T", " ")} UTC · ${row.state}`,
    href: `/backups/${row.id}`,
  }));
}

/** They may cover what somebody whose access is limited does not see: those find them in their list. */
async function findPolicies(ctx: Ctx, q: string, limit: number): Promise<SearchHit[]> {
  if (isLimited(ctx)) return [];
  const rows = await ctx.db.policy.findMany({
    where: { name: { contains: escapeLike(q), mode: "insensitive" }, archivedAt: null },
    orderBy: { name: "asc" },
    take: limit,
  });
  return rows.map(({ id, name, pausedAt }) => ({
    kind: "policy",
    id,
    title: name,
    detail: pausedAt ? "policy, paused" : "policy",
    href: `/policies/${name}`,
  }));
}

async function findOperations(ctx: Ctx, q: string, limit: number): Promise<SearchHit[]> {
  const range = idRange(q);
  const candidates = range
    ? Prisma.sql`SELECT * FROM operation WHERE id BETWEEN ${range.first}::uuid AND ${range.last}::uuid`
    : Prisma.sql`SELECT * FROM operation ORDER BY created_at DESC, id DESC LIMIT ${NEWEST_OPERATIONS}`;
  const rows = await ctx.db.$queryRaw<{ id: string; title: string; state: string; at: Date }[]>`
    SELECT o.id::text, o.title, o.state::text, o.created_at AS at
    FROM (${candidates}) AS o
    LEFT JOIN database d ON d.id = o.database_id LEFT JOIN environment v ON v.id = d.environment_id
    WHERE ${within(ctx)} ${range ? Prisma.empty : Prisma.sql`AND o.title ILIKE ${`%${escapeLike(q)}%`}`}
    ORDER BY o.created_at DESC, o.id DESC LIMIT ${limit}`;
  return rows.map((row) => ({
    kind: "operation",
    id: row.id,
    title: row.title,
    detail: `${row.at.toISOString().slice(0, 16).replace("T", " ")} UTC · ${row.state}`,
    href: `/operations/${row.id}`,
  }));
}

async function findMembers(ctx: Ctx, q: string, limit: number): Promise<SearchHit[]> {
  if (!allowed(ctx, "member.read")) return [];
  const contains = { contains: escapeLike(q), mode: "insensitive" as const };
  const rows = await ctx.db.user.findMany({
    where: { OR: [{ name: contains }, { email: contains }] },
    orderBy: { name: "asc" },
    take: limit,
  });
  return rows.map((row) => ({
    kind: "member",
    id: row.id,
    title: row.name,
    detail: `${row.email} · ${row.role}${row.disabledAt ? " · disabled" : ""}`,
    href: "/settings/members",
  }));
}

function findPages(ctx: Ctx, q: string, limit: number): SearchHit[] {
  const text = q.toLowerCase();
  return pageEntries
    .filter((page) => allowed(ctx, page.permission))
    .filter((page) => `${page.title} ${page.detail}`.toLowerCase().includes(text))
    .slice(0, limit)
    .map(pageHit);
}
