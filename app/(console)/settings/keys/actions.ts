"use server";
import { act } from "@/lib/actions/act";
import { rotateKeys } from "@/lib/keys/rotate-keys";

export async function rotateKeysAction(_input: undefined) {
  return act((ctx) => rotateKeys(ctx));
}
