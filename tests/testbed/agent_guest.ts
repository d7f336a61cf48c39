/** The tiny guest with our own agent (guest/, Go) in it. */
import { GUEST_TARGETS } from "../../lib/guest/tools/targets.ts";
import { buildAgent, goVersion } from "../../scripts/guest_agents.ts";
import { built } from "./built.ts";
import { buildGuest, type Guest } from "./guest.ts";
import { ensurePackages } from "./packages.ts";
import { run } from "./process.ts";
import { Unavailable } from "./unavailable.ts";

/** Path in the guest. */
export const AGENT_IN_GUEST = "/usr/sbin/kvm-manager-agent";

/** Builds our agent for the machine the tests run on. @throws {Unavailable} without Go, where it cannot be installed */
export async function buildOwnAgent(): Promise<string> {
  await ensurePackages("golang-go");
  const go = await goVersion();
  if (go === null) throw new Unavailable("golang-go is installed, but there is no go");
  return await buildAgent(GUEST_TARGETS[0], go);
}

/** Starts the agent, then the tiny guest's own init. */
const INIT = "/init-with-agent";

/** The guest. Its initramfs is that of the tiny guest with one more archive behind: the kernel unpacks both. */
export async function buildAgentGuest(): Promise<Guest> {
  const [guest, agent] = [await buildGuest(), await buildOwnAgent()];
  const init = await Deno.readTextFile(new URL("guest/init-with-agent", import.meta.url));
  const recipe = [guest.initrd, agent, init, await Deno.readTextFile(new URL(import.meta.url))];
  const folder = await built("agent-guest", recipe, async (work) => {
    const place = `${work}/root${AGENT_IN_GUEST}`;
    await Deno.mkdir(place.slice(0, place.lastIndexOf("/")), { recursive: true });
    await Deno.copyFile(agent, place);
    await Deno.writeTextFile(`${work}/root${INIT}`, init);
    for (const program of [place, `${work}/root${INIT}`]) await Deno.chmod(program, 0o755);
    const more = `${work}/more`;
    await run(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0", "-F", more], {
      cwd: `${work}/root`,
      stdin: `.${AGENT_IN_GUEST}\n.${INIT}\n`,
    });
    await Deno.copyFile(guest.initrd, `${work}/out/initrd`);
    // An archive may begin at each fourth byte
    const { size } = await Deno.stat(guest.initrd);
    await Deno.writeFile(`${work}/out/initrd`, new Uint8Array((4 - size % 4) % 4), { append: true });
    await Deno.writeFile(`${work}/out/initrd`, await Deno.readFile(more), { append: true });
  });
  return { ...guest, initrd: `${folder}/initrd`, cmdline: `${guest.cmdline} rdinit=${INIT}` };
}
