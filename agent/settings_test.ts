import assert from "node:assert/strict";
import { render } from "../lib/i18n/message.ts";
import { readSettings, SETTINGS, SettingsError, settingsHelp } from "./settings.ts";

const FILE = "kvmm-test-config.toml";

/** Runs with a config file of this text; gives its path. */
function withConfig<T>(text: string, run: (path: string) => T): T {
  const folder = Deno.makeTempDirSync({ prefix: "kvmm-test-" });
  try {
    const path = `${folder}/${FILE}`;
    Deno.writeTextFileSync(path, text);
    return run(path);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}
/** Reads settings with an empty config file, so that none of the machine's own is looked at. */
const read = (args: readonly string[], env: Record<string, string> = {}, config = "", root = true) =>
  withConfig(
    config,
    (path) =>
      readSettings(args, {
        root,
        env: (name) => ({ KVMM_CONFIG: path, ...env } as Record<string, string>)[name],
      }),
  );
const wrong = (text: RegExp, ...args: Parameters<typeof read>) =>
  assert.throws(
    () => read(...args),
    (error) => error instanceof SettingsError && text.test(error.message) || assert.fail(String(error)),
  );

Deno.test("readSettings() has defaults for root and for others", () => {
  assert.deepEqual(read([]), {
    listen: ["127.0.0.1:8440"],
    uri: "qemu:///system",
    dataDir: "/var/lib/kvm-manager",
    runtimeDir: "/run/kvm-manager",
    socketGroup: "auto",
    socketRole: "operator",
    virtType: "auto",
    overcommit: "refuse",
    logLevel: "info",
    journal: "/run/systemd/journal/socket",
    pam: "off",
    imageCatalog: "builtin",
    metricsInterval: 30,
    guestInterval: 300,
    metricsEndpoint: "off",
    hookPrograms: "off",
    binDays: 7,
    tlsCert: "auto",
    tlsKey: "auto",
    hsts: "auto",
    hostName: [],
    trustedProxy: [],
    grpcListen: [],
    basePath: "/",
    demo: false,
  });
  const dirs = (env: Record<string, string>) => {
    const { dataDir, runtimeDir } = read([], env, "", false);
    return [dataDir, runtimeDir];
  };
  assert.deepEqual(dirs({ HOME: "/home/a" }), [
    "/home/a/.local/state/kvm-manager",
    "/home/a/.cache/kvm-manager",
  ]);
  assert.deepEqual(dirs({ HOME: "/home/a", XDG_STATE_HOME: "/s", XDG_RUNTIME_DIR: "/run/user/1" }), [
    "/s/kvm-manager",
    "/run/user/1/kvm-manager",
  ]);
  // An empty variable is as good as none (XDG Base Directory Specification).
  assert.deepEqual(
    dirs({ HOME: "/home/a", XDG_STATE_HOME: "", XDG_RUNTIME_DIR: "" }),
    dirs({ HOME: "/home/a" }),
  );
});

Deno.test("readSettings() takes the flag before the environment, and that before the file", () => {
  const value = {
    listen: "a:1",
    uri: "u",
    dataDir: "/d",
    runtimeDir: "/r",
    socketGroup: "g",
    socketRole: "viewer",
    virtType: "qemu",
    overcommit: "allow",
    logLevel: "warn",
    journal: "/j",
    pam: "a=viewer",
    imageCatalog: "/c",
    metricsInterval: "20",
    guestInterval: "60",
    metricsEndpoint: "token",
    hookPrograms: "/p",
    binDays: "7",
    grpcListen: "socket",
    tlsCert: "/cert",
    tlsKey: "/key",
    hsts: "on",
    hostName: "h",
    trustedProxy: "p",
    basePath: "/b",
  };
  for (const [name, row] of Object.entries(SETTINGS)) {
    const key = name as keyof typeof SETTINGS;
    const other = {
      ...value,
      socketRole: "operator",
      virtType: "kvm",
      overcommit: "refuse",
      logLevel: "error",
      hsts: "off",
      metricsEndpoint: "off",
      hookPrograms: "off",
      binDays: "7",
    }[key];
    const third = {
      ...value,
      socketRole: "administrator",
      virtType: "auto",
      logLevel: "debug",
      hsts: "auto",
      metricsEndpoint: "token",
      hookPrograms: "/p",
      binDays: "7",
    }[key];
    const from = (args: string[], env: Record<string, string>, config: string) =>
      String(read(args, env, config)[key]);
    const file = `${row.flag} = "${value[key]}"`;
    assert.equal(from([], {}, file), value[key]);
    assert.equal(
      from([], { [row.env]: other + (other === value[key] ? "2" : "") }, file),
      other + (other === value[key] ? "2" : ""),
    );
    assert.equal(from([], { [row.env]: "" }, file), value[key], "an empty variable counts as none");
    const flag = third + (third === value[key] && !("choices" in row) ? "3" : "");
    assert.equal(from([`--${row.flag}`, flag], { [row.env]: other }, file), flag);
    assert.equal(from([`--${row.flag}=${flag}`], { [row.env]: other }, file), flag);
  }
});

Deno.test("readSettings() takes 0 or whole seconds between 60 and 3600 for guests", () => {
  assert.equal(read([]).guestInterval, 300);
  assert.equal(read(["--guest-interval=0"]).guestInterval, 0);
  assert.equal(read(["--guest-interval=60"]).guestInterval, 60);
  for (const odd of ["59", "3601", "1.5", "x", "-30"]) {
    wrong(/^--guest-interval must be 0, or a whole number/, [`--guest-interval=${odd}`]);
  }
});

Deno.test("readSettings() takes whole seconds between 5 and 300 for the metrics", () => {
  assert.equal(read([]).metricsInterval, 30);
  assert.equal(read(["--metrics-interval=5"]).metricsInterval, 5);
  for (const odd of ["4", "301", "1.5", "x", "-30"]) {
    wrong(/^--metrics-interval must be a whole number of seconds from 5 to 300$/, [
      `--metrics-interval=${odd}`,
    ]);
  }
});

Deno.test("readSettings() takes several of what may be several: flags, commas, lists of the file", () => {
  assert.deepEqual(read(["--listen", "a:1", "--listen=b:2, c:3,"]).listen, ["a:1", "b:2", "c:3"]);
  assert.deepEqual(read([], { KVMM_HOST_NAME: "a,b" }).hostName, ["a", "b"]);
  assert.deepEqual(read([], {}, 'trusted-proxy = ["10.0.0.1", "fd00::/8"]').trustedProxy, [
    "10.0.0.1",
    "fd00::/8",
  ]);
  wrong(/listen must be a text in quotes, or a list of them/, [], {}, "listen = [1]");
  wrong(/uri must be a text in quotes$/, [], {}, 'uri = ["a"]');
});

Deno.test("readSettings() serves the test driver for --demo, whatever the URI", () => {
  const { demo, uri } = read(["--demo", "--uri", "qemu:///system"]);
  assert.deepEqual([demo, uri], [true, "test:///default"]);
});

Deno.test("readSettings() names the flag, variable or file that is wrong", () => {
  wrong(/--virt-type is "xen"; it must be one of auto, kvm, qemu/, ["--virt-type", "xen"]);
  wrong(/KVMM_LOG_LEVEL is "loud"; it must be one of debug, info, warn, error/, [], {
    KVMM_LOG_LEVEL: "loud",
  });
  wrong(/virt-type in the config file is "KVM"/, [], {}, 'virt-type = "KVM"');
  for (const { flag } of Object.values(SETTINGS)) {
    wrong(new RegExp(`--${flag} is empty`), [`--${flag}=`]);
    wrong(new RegExp(`${flag} in the config file is empty`), [], {}, `${flag} = ""`);
    wrong(new RegExp(`--${flag}`), [`--${flag}`]);
    wrong(new RegExp(`${flag} must be a text in quotes`), [], {}, `${flag} = 5`);
  }
  wrong(/--nonsense/, ["--nonsense"]);
  wrong(/positional|stray/i, ["stray"]);
  wrong(/--demo/, ["--demo=yes"]);
});

Deno.test("readSettings() refuses a config file it cannot read or does not understand", () => {
  wrong(/not valid TOML/, [], {}, "listen = ");
  wrong(/not valid TOML/, [], {}, "\0");
  wrong(/unknown setting "lisen"\. Known are: listen, /, [], {}, 'lisen = "x"');
  wrong(/unknown setting "server"/, [], {}, "[server]\nlisten = 'x'");
  wrong(/unknown setting "constructor"/, [], {}, 'constructor = "x"');
  wrong(/\/no\/such\/file cannot be read/, ["--config", "/no/such/file"]);
  wrong(/\/no\/such\/file cannot be read/, [], { KVMM_CONFIG: "/no/such/file" });
  wrong(/cannot be read/, ["--config", "/"]);
  withConfig('listen = "127.0.0.1:1"', (path) => {
    assert.deepEqual(read(["--config", path], { KVMM_CONFIG: "/no/such/file" }).listen, ["127.0.0.1:1"]);
  });
});

Deno.test("readSettings() takes an empty KVMM_CONFIG for none", () => {
  assert.deepEqual(
    readSettings(["--listen", "x:1"], { root: true, env: (name) => name === "KVMM_CONFIG" ? "" : undefined })
      .listen,
    ["x:1"],
  );
});

Deno.test("settingsHelp() tells every setting with its variable and default", () => {
  const help = new Map(settingsHelp(true, () => undefined).map(([option, text]) => [option, render(text)]));
  for (const row of Object.values(SETTINGS)) {
    const text = help.get(`--${row.flag} ${row.value}`) ?? "";
    const fallback = row.default({ root: true, env: () => undefined });
    const end = fallback === "" ? "no default" : `default ${fallback}`;
    assert.ok(text.endsWith(` (${row.env}; ${end})`), `--${row.flag}: ${text}`);
  }
  assert.ok(help.has("--demo") && help.has("--config FILE"));
});
