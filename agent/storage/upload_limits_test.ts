import assert from "node:assert/strict";
import { ContractError } from "../../lib/contract/errors.ts";
import { principalOf } from "../access.ts";
import { localPrincipal } from "../testing.ts";
import { requirePlace, type Unfinished, uploaderOf } from "./upload_limits.ts";

const uploads = (caller: string, count: number): Unfinished[] =>
  Array.from({ length: count }, (_, at) => ({ pool: "p", name: `${caller}${at}`, caller }));
const refused = (all: readonly Unfinished[], caller: string): string | undefined => {
  try {
    requirePlace(all, caller);
  } catch (error) {
    assert.ok(error instanceof ContractError && error.code === "TooManyUploads" && error.status === 429);
    return error.message;
  }
};

Deno.test("requirePlace() bounds the uploads of one caller, naming them, and those of all", () => {
  assert.equal(refused(uploads("ann", 7), "ann"), undefined);
  assert.match(
    refused(uploads("ann", 8), "ann")!,
    /unfinished uploads of yours .*limit 8.*p\/ann0, .*p\/ann7/,
  );
  assert.equal(refused(uploads("ann", 8), "bob"), undefined);
  const many = ["a", "b", "c", "d"].flatMap((caller) => uploads(caller, 7));
  assert.equal(refused([...many, ...uploads("e", 3)], "bob"), undefined);
  const full = [...many, ...uploads("e", 4)];
  assert.match(refused(full, "bob")!, /of all users .*limit 32.*none of them yours/);
  assert.match(refused(full, "e")!, /of all users .*p\/e0, p\/e1/);
});

Deno.test("callerOf() is the account, whatever it comes with; at the socket the user of the host", () => {
  const ann = { name: "ann", door: "api", userId: "u1" } as const;
  assert.equal(
    uploaderOf(principalOf({ ...ann, via: "session", holder: "s1" })),
    uploaderOf(principalOf({ ...ann, via: "token", holder: "t1" })),
  );
  assert.notEqual(uploaderOf(localPrincipal("socket")), "");
});
