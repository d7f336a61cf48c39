import assert from "node:assert/strict";
import { ContractError } from "../../lib/contract/errors.ts";
import { ALL_RIGHTS } from "../../lib/access/rights.ts";
import { type Principal, principalOf } from "../access.ts";
import type { Content } from "../dispatch.ts";
import { type CopyServices, copyToHost } from "./copy_to_host.ts";

const SIZE = 1000;

/** Hosts of which one takes an upload as a test says, and the commands that came to them. */
function world(uploaded: (offset: number) => unknown, arrived: number) {
  const called: string[] = [];
  const dispatch =
    (async (command: string, input: Record<string, unknown>, _principal: Principal, content?: Content) => {
      called.push(command);
      switch (command) {
        case "get_volumes":
          return [{ name: "disk" }];
        case "get_storage_pools":
          return [{ name: "default", state: "running" }];
        case "get_upload":
          return { offset: arrived };
        case "delete_upload":
          return null;
        case "download_volume": {
          const part = content!.choose!({ size: SIZE, version: "1" })!;
          assert.ok(
            part.offset >= 0 && part.length > 0 && part.offset + part.length <= SIZE,
            JSON.stringify(part),
          );
          const bytes = new Uint8Array(part.length);
          content!.answer!(
            new ReadableStream({
              start(controller) {
                controller.enqueue(bytes);
                controller.close();
              },
            }),
          );
          return null;
        }
        case "upload_volume":
          while (await content!.body!.next() !== null) { /* all of it */ }
          return uploaded(Number(input.offset));
      }
      throw new Error(command);
    }) as CopyServices["dispatch"];
  const jobs = {
    run: async (_spec: unknown, work: (job: unknown) => Promise<unknown>) =>
      await work({ signal: new AbortController().signal, log: () => {}, progress: () => {} }),
  };
  const services = {
    dispatch,
    hosts: { local: { jobs } },
    places: { hostOf: ({ host }: { host: string }) => host },
  };
  const copy = copyToHost(services as unknown as CopyServices).copy_volume_to_host;
  const principal = principalOf({ name: "ann", door: "api", via: "token", rights: ALL_RIGHTS });
  return { called, run: () => copy({ pool: "default", volume: "disk", toHost: "bad" }, { principal }) };
}

const refusal = async (work: unknown) => {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof ContractError, String(error));
    return error.code;
  }
  return undefined;
};

Deno.test("a host that says that more has arrived than was sent ends a copy, and what is there goes", async () => {
  for (const arrived of [SIZE + 1, 2 ** 50]) {
    const { called, run } = world(() => {
      throw new ContractError("UploadBroken");
    }, arrived);
    assert.equal(await refusal(run()), "VolumeCopyFailed");
    assert.equal(called.filter((each) => each === "upload_volume").length, 1);
    assert.equal(called.at(-1), "delete_upload");
  }
});

Deno.test("a host that has something else than was sent ends a copy, and what is there goes", async () => {
  const { called, run } = world(() => ({ sha256: "0".repeat(64) }), 0);
  assert.equal(await refusal(run()), "ChecksumMismatch");
  assert.equal(called.at(-1), "delete_upload");
});

Deno.test("a copy goes on where more has arrived since it was asked how much there is", async () => {
  const answers = ["UploadBroken", "UploadOffset"] as const;
  let attempts = 0;
  const { run } = world(() => {
    const code = answers[attempts++];
    if (code !== undefined) throw new ContractError(code);
    // Of the bytes that the test reads: the sum itself is another test's
    return { sha256: "0".repeat(64) };
  }, 100);
  assert.equal(await refusal(run()), "ChecksumMismatch");
  assert.equal(attempts, 3);
});
