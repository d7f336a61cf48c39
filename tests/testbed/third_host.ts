/** A third host in addition to {@link twoHosts}: one that is linked, and can go away. */
import type { Api } from "../../lib/contract/api.ts";
import { testFolder } from "./folder.ts";
import { linkable, linkTo } from "./linked.ts";

/** Id of the third host. */
export const THIRD_HOST = "far";
/** Its VM. */
export const FAR_VM = { id: "77777777-7777-4777-8777-777777777777", name: "distant" } as const;

const FAR = `<node><domain type="test"><name>${FAR_VM.name}</name><uuid>${FAR_VM.id}</uuid>
  <memory unit="MiB">512</memory><vcpu>1</vcpu><os><type>hvm</type></os></domain>
  <network><name>default</name><bridge name="testbr8"/><ip address="192.168.78.1" netmask="255.255.255.0"/></network>
  <pool type="dir"><name>far-pool</name><target><path>/far-pool</path></target></pool></node>`;

/** Links it. @returns the host: `unlisten()` has it go away, `listen()` come back */
export async function thirdHost(from: { readonly api: Api }) {
  await using undo = new AsyncDisposableStack();
  const folder = undo.use(await testFolder());
  await Deno.writeTextFile(`${folder.path}/far.xml`, FAR);
  const far = undo.use(await linkable(`test://${folder.path}/far.xml`));
  await linkTo(from, far, { name: THIRD_HOST });
  const kept = undo.move();
  return { ...far, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
