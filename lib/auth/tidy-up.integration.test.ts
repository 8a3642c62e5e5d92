import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestApi } from "../api/testing/test-api.ts";
import { createTestApi } from "../api/testing/test-api.ts";
import { newId } from "../ids.ts";
import type { TestMember } from "../members/testing/make-member.ts";
import { makeMember } from "../members/testing/make-member.ts";
import { tidyUp } from "./tidy-up.ts";

const DAY_MS = 24 * 3600_000;
const NOW = Date.now();
const daysAgo = (days: number) => new Date(NOW - days * DAY_MS);

let api: TestApi;
let member: TestMember;
beforeAll(async () => {
  api = await createTestApi();
  member = await makeMember(api.base);
});
afterAll(async () => {
  await api.close();
});

const ctx = () => ({ ...api.base, clock: { now: () => new Date(NOW) } });

function session(times: { revokedAt?: Date; expiresAt?: Date; lastSeenAt?: Date } = {}) {
  const { revokedAt = null, expiresAt = daysAgo(-1), lastSeenAt = daysAgo(0) } = times;
  return { id: newId(), userId: member.user.id, revokedAt, expiresAt, lastSeenAt };
}

function invite(times: { acceptedAt?: Date; revokedAt?: Date; expiresAt?: Date } = {}) {
  const { acceptedAt = null, revokedAt = null, expiresAt = daysAgo(-1) } = times;
  const id = newId();
  const who = { email: `${id}@example.com`, name: "N", role: "viewer" as const };
  return { id, ...who, tokenHash: id, invitedBy: member.user.id, acceptedAt, revokedAt, expiresAt };
}

test("what ended long ago goes, what stands or ended lately stays", async () => {
  const { db } = api.base;
  const kept = [
    session(),
    session({ revokedAt: daysAgo(89) }),
    session({ expiresAt: daysAgo(89) }),
    session({ lastSeenAt: daysAgo(96) }),
  ];
  const gone = [
    session({ revokedAt: daysAgo(91) }),
    session({ expiresAt: daysAgo(91) }),
    session({ lastSeenAt: daysAgo(98) }),
  ];
  await db.session.createMany({ data: [...kept, ...gone] });
  const keptInvites = [invite(), invite({ acceptedAt: daysAgo(89) }), invite({ expiresAt: daysAgo(89) })];
  const goneInvites = [
    invite({ acceptedAt: daysAgo(91) }),
    invite({ revokedAt: daysAgo(91) }),
    invite({ expiresAt: daysAgo(91) }),
  ];
  await db.invite.createMany({ data: [...keptInvites, ...goneInvites] });
  await db.loginThrottle.createMany({
    data: [
      { key: "account:now@example.com", failures: 1, updatedAt: daysAgo(0.9) },
      { key: "account:then@example.com", failures: 1, updatedAt: daysAgo(1.1) },
    ],
  });
  const answer = { actorId: member.user.id, requestHash: "x" };
  await db.idempotencyKey.createMany({
    data: [
      { ...answer, key: "now", createdAt: daysAgo(0.9) },
      { ...answer, key: "then", createdAt: daysAgo(1.1) },
    ],
  });

  expect(await tidyUp(ctx())).toEqual({ session: 3, invite: 3, loginThrottle: 1, idempotencyKey: 1 });
  const ids = async (rows: Promise<{ id: string }[]>) => (await rows).map(({ id }) => id).sort();
  expect(await ids(db.session.findMany())).toEqual([member.sessionId, ...kept.map(({ id }) => id)].sort());
  expect(await ids(db.invite.findMany())).toEqual(keptInvites.map(({ id }) => id).sort());
  expect((await db.loginThrottle.findMany()).map(({ key }) => key)).toEqual(["account:now@example.com"]);
  expect((await db.idempotencyKey.findMany()).map(({ key }) => key)).toEqual(["now"]);
  expect(await tidyUp(ctx())).toEqual({ session: 0, invite: 0, loginThrottle: 0, idempotencyKey: 0 });
});

test("very many go in batches, in one pass", async () => {
  const data = Array.from({ length: 2_500 }, () => session({ revokedAt: daysAgo(100) }));
  await api.base.db.session.createMany({ data });
  expect(await tidyUp(ctx())).toMatchObject({ session: 2_500 });
});
