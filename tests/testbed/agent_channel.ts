/** The host's end of a machine's channel to our own agent. */
import { AGENT_CHANNEL } from "../../lib/guest/protocol.ts";
import type { TestMachine } from "./machine.ts";
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
