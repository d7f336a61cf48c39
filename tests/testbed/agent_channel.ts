/** The host's end of a machine's channels to guest agents. */
import { AGENT_CHANNEL } from "../../lib/guest/protocol.ts";
import { virsh } from "./libvirt.ts";
import type { TestMachine } from "./machine.ts";
import { filesOf } from "./names.ts";
import { until } from "./wait.ts";

/** The socket at which QEMU listens. @param name of the channel */
export async function agentSocket(vm: TestMachine, name: string = AGENT_CHANNEL): Promise<string> {
  return await until(`the channel ${name} of ${vm.name}`, async () => {
    const channel = (await vm.xml()).match(/<channel type='unix'>[^]*?<\/channel>/g)?.find((each) =>
      each.includes(`'${name}'`)
    );
    return /<source mode='bind' path='([^']+)'\/>/.exec(channel ?? "")?.[1];
  });
}

/** Opens it; one at a time. */
export async function openAgentChannel(vm: TestMachine, name?: string): Promise<Deno.UnixConn> {
  return await Deno.connect({ transport: "unix", path: await agentSocket(vm, name) });
}

/** Defines a stopped VM again, so that its channel is connected to a socket of the host's. */
export async function connectChannel(vm: TestMachine, socket: string): Promise<void> {
  const folder = filesOf(vm.name), xml = await Deno.readTextFile(`${folder}/domain.xml`);
  const channel = `<channel type='unix'><source mode='connect' path='${socket}'/>`;
  await Deno.writeTextFile(`${folder}/liar.xml`, xml.replace("<channel type='unix'>", channel));
  await virsh("define", `${folder}/liar.xml`);
}
