/**
 * KVM Manager installs itself on a host by SSH: over Debian's sshd, in a copy of this machine's files with namespaces of its
 * own. A stand-in for systemctl starts its service there (`bare_host.ts`): no systemd runs here.
 */
import assert from "node:assert/strict";
import { bareHost, CUTS, NO_VMS, PASSWORDS } from "../testbed/bare_host.ts";
import { testFolder } from "../testbed/folder.ts";
import { call, refused } from "../testbed/product.ts";
import { startServer, type TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";
import type { Input } from "../../lib/contract/mod.ts";

const ignore = await requirement("qemu", "ssh", "sudo") !== null;

type Wish = Omit<Input<"install_host">, "name" | "destination">;

/** A KVM Manager here and a host without one. */
async function pair() {
  await using undo = new AsyncDisposableStack();
  const far = undo.use(await bareHost()), folder = undo.use(await testFolder());
  await Deno.writeTextFile(`${folder.path}/node.xml`, NO_VMS);
  const options = { uri: `test://${folder.path}/node.xml`, dataDir: `${folder.path}/data` };
  const at: { server: TestServer } = { server: await startServer(options) };
  undo.defer(() => at.server[Symbol.asyncDispose]());
  const kept = undo.move();
  return {
    far,
    at,
    options,
    install: (user: string, more: Wish = {}) =>
      call(at.server, "install_host", {
        name: "far",
        destination: `${user}@${far.address}`,
        hostKey: far.hostKey,
        ...more,
      }),
    hosts: async () => (await call(at.server, "list_hosts")).map(({ id }) => id),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

type Pair = Awaited<ReturnType<typeof pair>>;

/** Nothing of an installation is there, and no host is linked. */
async function nothing({ far, hosts }: Pair, why: string): Promise<void> {
  assert.deepEqual(await far.traces(), [], why);
  assert.deepEqual(await hosts(), ["local"], why);
}

/** The host is linked and of use: its VMs are listed and change. */
async function linked({ at: { server }, far }: Pair): Promise<void> {
  const host = (await call(server, "list_hosts")).find(({ id }) => id === "far");
  assert.equal(host?.status, "connected");
  assert.equal(host?.uri, `https://${far.address}:8006`);
  await until("its VM", async () => (await call(server, "get_vms")).some(({ host }) => host === "far"));
  assert.deepEqual(await far.present(["/usr/local/lib/kvm-manager-install"]), []);
  assert.equal(
    await far.well("cat /root/.ssh/authorized_keys /home/*/.ssh/authorized_keys 2>/dev/null || true"),
    "",
  );
}

/** Removes all of it there and here, as people would. */
async function removed({ at: { server }, far }: Pair): Promise<void> {
  await call(server, "remove_host", { hostId: "far" });
  await far.well("/usr/local/bin/kvm-manager uninstall --yes --purge");
}

/** Log of the last installation's task. */
async function told({ at: { server } }: Pair): Promise<string> {
  const [job] = await call(server, "list_jobs", { limit: 1 });
  const { log } = await call(server, "get_job", { jobId: job!.id });
  return log.map(({ text }) => text).join("\n");
}

/** No process of ours and nothing that is kept or logged has a password. */
async function keepsNoPassword({ options, at }: Pair, password: string): Promise<void> {
  assert.equal(at.server.log().includes(password), false);
  for await (const { name, isFile } of Deno.readDir(options.dataDir)) {
    if (!isFile) continue;
    const text = new TextDecoder("latin1").decode(await Deno.readFile(`${options.dataDir}/${name}`));
    assert.equal(text.includes(password), false, name);
  }
}

Deno.test({
  name: "install_host(): as root, from nothing: each failure is undone, and in the end the host is linked",
  ignore,
  fn: async (t) => {
    // Each goes on where the one before has ended
    const step = async (name: string, run: () => Promise<void>) => assert.ok(await t.step(name, run), name);
    await using here = await pair();
    const { far, install, at } = here, password = PASSWORDS.root;

    await step("an unknown or another host key is shown, and nothing is sent", async () => {
      const call = (hostKey?: string) =>
        at.server.call("install_host", {
          name: "far",
          destination: `root@${far.address}`,
          password,
          ...hostKey !== undefined && { hostKey },
        });
      await refused(
        call() as Promise<never>,
        "HostKeyUnknown",
        new RegExp(far.hostKey.replaceAll("+", "\\+")),
      );
      await refused(call(`SHA256:${"A".repeat(43)}`) as Promise<never>, "HostKeyChanged");
      await nothing(here, "a host key");
    });
    await step("the page has the key be compared, and gives no password back", async () => {
      const at = "/settings/hosts",
        page = await (await fetch(`${here.at.server.url}${at}?install=ann@kvm9:2222`)).text();
      assert.match(
        page,
        /name="destination"[^>]*value="ann@kvm9:2222"|value="ann@kvm9:2222"[^>]*name="destination"/,
      );
      const answer = await fetch(`${here.at.server.url}/do/install_host?to=${at}`, {
        method: "POST",
        headers: { origin: here.at.server.url },
        body: new URLSearchParams({
          name: "far",
          destination: `root@${far.address}`,
          port: "",
          label: "",
          password,
        }),
      });
      const refusal = await answer.text();
      assert.equal(answer.status, 409);
      assert.ok(refusal.includes(`value="${far.hostKey}"`), "the key is asked for");
      assert.ok(refusal.includes(`value="root@${far.address}"`));
      assert.equal(refusal.includes(password), false);
    });
    await step("no password and a wrong one are refused with what to do", async () => {
      await refused(
        install("root"),
        "HostInstallFailed",
        /Sign in by SSH: SSH refuses KVM Manager's key\. Give/,
      );
      await refused(
        install("root", { password: "wrong" }),
        "HostInstallFailed",
        /refuses the user or the password/,
      );
      await nothing(here, "a password");
    });
    await step(
      "a host without libvirt, systemd or room is refused before anything is put there",
      async () => {
        await far.well("mv /run/systemd/system /run/systemd/none");
        await refused(install("root", { password }), "HostInstallFailed", /systemd does not run there/);
        await far.well("mv /run/systemd/none /run/systemd/system");
        await far.bound(100_000_000);
        await refused(
          install("root", { password }),
          "HostInstallFailed",
          /MB free there, and \d+ MB are needed/,
        );
        await nothing(here, "no room");
      },
    );
    await step("a disk that fills up meanwhile is told, and nothing stays", async () => {
      // The look is told of more than there is
      await far.well(
        `printf '#!/bin/sh\\necho "x 9 9 999999999 9 /"\\n' > /usr/bin/df.full; chmod 755 /usr/bin/df.full
        cp -p /usr/local/sbin/df /usr/local/sbin/df.kept; cp /usr/bin/df.full /usr/local/sbin/df`,
      );
      for (
        const [bytes, when] of [[20_000_000, "Copy the program"], [70_000_000, "Check the host"]] as const
      ) {
        await far.bound(bytes);
        await refused(
          install("root", { password }),
          "HostInstallFailed",
          new RegExp(`${when}: .*(space|full)`),
        );
        await far.bound(undefined);
        await nothing(here, `full at ${bytes}`);
      }
      await far.well("mv /usr/local/sbin/df.kept /usr/local/sbin/df");
    });
    for (const name of Object.keys(CUTS)) {
      await step(`a connection that is cut in the step ${name} undoes all`, async () => {
        await far.cutIn(name);
        await refused(
          install("root", { password }),
          "HostInstallFailed",
          /What this call did on the host was undone/,
        );
        assert.equal(await far.cutsLeft(), "", "it was cut");
        await nothing(here, `cut in ${name}`);
      });
    }
    await step("a service that does not start is told, and undone", async () => {
      await far.well(`cp -p /etc/systemd/system/kvm-manager.service.d/test.conf /run/kept.conf
        echo Environment=KVMM_LOG_LEVEL=nonsense >> /etc/systemd/system/kvm-manager.service.d/test.conf`);
      await refused(
        install("root", { password }),
        "HostInstallFailed",
        /Install the service: .*the service is failed/,
      );
      await nothing(here, "no start");
      await far.well("cp /run/kept.conf /etc/systemd/system/kvm-manager.service.d/test.conf");
    });
    await step("what was there before stays when it is undone", async () => {
      await far.well("mkdir -p /etc/kvm-manager; echo '# mine' > /etc/kvm-manager/config.toml");
      await refused(install("root", { password }), "HostInstallFailed", /it has no TLS/);
      assert.equal(await far.well("cat /etc/kvm-manager/config.toml"), "# mine");
      assert.deepEqual(await far.traces(), ["/etc/kvm-manager"]);
      await far.well("rm -r /etc/kvm-manager");
    });
    /** Has KVM Manager be killed here while the service is installed there, and starts it again. */
    const killed = async () => {
      await far.well("touch /run/slow-systemctl");
      const cut = assert.rejects(install("root", { password }));
      const unit = "/etc/systemd/system/kvm-manager.service";
      await until("its service is begun", async () => (await far.present([unit])).length > 0);
      Deno.kill(at.server.pid, "SIGKILL");
      await cut;
      await at.server[Symbol.asyncDispose]();
      at.server = await startServer(here.options);
      await far.well("rm /run/slow-systemctl");
    };
    await step(
      "KVM Manager that is killed in the middle: a next call that is refused undoes all",
      async () => {
        await killed();
        assert.notDeepEqual(await far.traces(), []);
        const library = await far.well("ls /usr/lib/*/libvirt.so.0 | head -n 1");
        await far.well(`mv ${library} ${library}.away`);
        await refused(
          install("root", { password }),
          "HostInstallFailed",
          /libvirt is not installed there.*undone/,
        );
        await far.well(`mv ${library}.away ${library}`);
        await nothing(here, "killed, then refused");
      },
    );
    await step("a next call that can be carried out goes on", async () => {
      await killed();
      await install("root", { password });
      assert.match(await told(here), /An earlier installation there was cut: this one goes on/);
      await linked(here);
    });
    await step("its commands act there, as whom it is linked", async () => {
      const vm = (await call(at.server, "get_vms")).find(({ host }) => host === "far")!;
      await call(at.server, "pause_vm", { vmId: vm.id });
      await refused(install("root", { password }), "HostExists");
    });
    await step("where it is installed already, the host is only linked", async () => {
      const before = await far.well("sha256sum /usr/local/bin/kvm-manager; cat /run/stand-in.pid");
      await call(at.server, "remove_host", { hostId: "far" });
      await install("root", { password, role: "operator" });
      await linked(here);
      assert.match(await told(here), /KVM Manager is installed there: \/usr\/local\/bin\/kvm-manager/);
      assert.equal(await far.well("sha256sum /usr/local/bin/kvm-manager; cat /run/stand-in.pid"), before);
    });
    await step("the password is kept nowhere", () => keepsNoPassword(here, password));
    await removed(here);
    await nothing(here, "removed");
  },
});

Deno.test({
  name: "install_host(): by sudo, with its password, without one, and not at all",
  ignore,
  fn: async (t) => {
    // Each goes on where the one before has ended
    const step = async (name: string, run: () => Promise<void>) => assert.ok(await t.step(name, run), name);
    await using here = await pair();
    const { far, install } = here;
    const password = PASSWORDS.ann;
    await step("a user whom sudo does not take, or without sudo, is refused", async () => {
      await refused(
        install("eve", { password: PASSWORDS.eve }),
        "HostInstallFailed",
        /may not become root by sudo/,
      );
      await far.well("mv /usr/bin/sudo /usr/bin/sudo.away");
      await refused(install("ann", { password }), "HostInstallFailed", /sudo is not installed there/);
      await far.well("mv /usr/bin/sudo.away /usr/bin/sudo");
      await nothing(here, "no sudo");
    });
    await step("a key that opens the host is no password for sudo", async () => {
      const { publicKey } = await call(here.at.server, "get_ssh_key");
      await far.well(
        `install -d -m 700 -o ann -g ann ~ann/.ssh; echo '${publicKey}' > ~ann/.ssh/authorized_keys`,
      );
      await refused(install("ann"), "HostInstallFailed", /sudo asks for a password: give/);
      await refused(install("ann", { password: "wrong" }), "HostInstallFailed", /sudo refuses the password/);
      assert.equal(
        await far.well("cat ~ann/.ssh/authorized_keys"),
        publicKey,
        "it was there before, and stays",
      );
      await far.well("rm -r ~ann/.ssh");
    });
    await step("with the password", async () => {
      await install("ann", { password });
      await linked(here);
      await keepsNoPassword(here, password);
      await removed(here);
    });
    await step("a cut in the middle is undone by sudo, too", async () => {
      await far.cutIn("install");
      await refused(install("ann", { password }), "HostInstallFailed", /was undone/);
      await nothing(here, "cut");
    });
    await step("without one", async () => {
      await install("ned", { password: PASSWORDS.ned });
      await linked(here);
    });
  },
});
