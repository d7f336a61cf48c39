/** TLS as its clients see it: openssl, curl-like programs, and clients that never finish what they began. */
import assert from "node:assert/strict";
import { Agent, request as httpsRequest } from "node:https";
import { makePair } from "../../agent/system/certificate/make.ts";
import { ownNames } from "../../agent/http/names.ts";
import { asRoot } from "../testbed/people.ts";
import { run } from "../testbed/process.ts";
import { checkOutput } from "../testbed/product.ts";
import { buildBinary } from "../testbed/product_binary.ts";
import { atSocket } from "../testbed/sign_in.ts";
import { handshake, otherThan, servedFingerprint, startTlsServer, type TlsServer } from "../testbed/tls.ts";
import { delay, until } from "../testbed/wait.ts";
import { skippedUnless } from "../testbed/skipped_unless.ts";

const PASSWORD = "correct horse battery";
/** An address of this machine that is not loopback; without one some tests cannot be. */
const ADDRESS = ownNames().find((name) => /^\d+\.\d+\.\d+\.\d+$/.test(name) && !name.startsWith("127."));

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

/** A request with TLS that trusts whatever certificate: which one it is, other tests look at. */
function ask(url: string, path: string, options: {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  /** Agent whose connections it uses; without one, one of its own. */
  agent?: Agent;
} = {}): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const { method = "GET", headers = {}, body, agent = false } = options;
  const asked = httpsRequest(
    url + path,
    { method, headers, rejectUnauthorized: false, agent },
    (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => text += part);
      response.on(
        "end",
        () => resolve({ status: response.statusCode!, headers: response.headers, body: text }),
      );
    },
  );
  asked.on("error", reject);
  asked.end(body);
  return promise;
}

const json = (value: unknown) => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(value),
});

async function certificateOf({ server }: TlsServer) {
  const answer = await asRoot(server, "get_certificate", {});
  checkOutput("get_certificate", answer);
  return answer;
}

Deno.test("the first start makes a certificate that the start, the command and the connection show alike", async () => {
  await using tls = await startTlsServer();
  const { certificate, addresses } = await certificateOf(tls);
  assert.deepEqual(addresses, [tls.server.url, tls.url]);
  assert.deepEqual([certificate!.origin, certificate!.selfSigned, certificate!.problem], [
    "made",
    true,
    null,
  ]);
  assert.equal(await servedFingerprint(tls.port), certificate!.fingerprint);
  assert.ok(tls.server.log().includes(`SHA-256: ${certificate!.fingerprint}`), "the start tells it");
  for (const name of ownNames()) assert.ok(certificate!.names.includes(name), name);
  assert.equal((await Deno.stat(`${tls.server.dataDir}/tls.pem`)).mode! & 0o777, 0o600);
  const readable = await certificateOf(tls);
  assert.doesNotMatch(JSON.stringify(readable), /PRIVATE/);
});

Deno.test("modern TLS alone: 1.2 and 1.3 are spoken, what is older is not", async () => {
  await using tls = await startTlsServer();
  for (const version of ["1_2", "1_3"]) {
    const said = await handshake(tls.port, [`-tls${version}`]);
    assert.match(said, new RegExp(`New, TLSv${version.replace("_", ".")}, Cipher is (?!\\(NONE)`), version);
  }
  // Security level 0, or openssl would not even try.
  for (const version of ["1", "1_1"]) {
    const said = await handshake(tls.port, [`-tls${version}`, "-cipher", "ALL:@SECLEVEL=0"]);
    assert.match(said, /Cipher is \(NONE\)/, version);
  }
  for (const cipher of ["AES128-SHA", "DES-CBC3-SHA", "NULL", "aNULL"]) {
    const said = await handshake(tls.port, ["-tls1_2", "-cipher", `${cipher}:@SECLEVEL=0`]);
    assert.doesNotMatch(said, /Cipher is (?!\(NONE)/, cipher);
  }
});

Deno.test("plain HTTP at the port of TLS is led to https://, for our own names alone", async () => {
  await using tls = await startTlsServer();
  const plain = tls.url.replace("https:", "http:");
  const led = await fetch(`${plain}/vms?a=b`, { redirect: "manual" });
  assert.deepEqual([led.status, led.headers.get("location")], [308, `${tls.url}/vms?a=b`]);
  await led.body?.cancel();
  const written = await fetch(`${plain}/sign-in`, { method: "POST", body: "password=x", redirect: "manual" });
  assert.deepEqual([written.status, written.headers.get("location")], [400, null], "nothing is sent twice");
  assert.match(await written.text(), /speaks HTTPS/);
  using foreign = await Deno.connect({ port: tls.port, hostname: "127.0.0.1" });
  await foreign.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"));
  const said = await new Response(foreign.readable).text();
  assert.match(said, /^HTTP\/1\.1 400 /);
  assert.doesNotMatch(said, /location/i);
});

Deno.test("sessions over TLS have a __Host- cookie; loopback's plain ones do not cross over", async () => {
  await using tls = await startTlsServer();
  const grants = [{ role: "viewer", on: { kind: "everything" as const } }];
  await asRoot(tls.server, "create_user", { name: "ann", password: PASSWORD, grants });
  const signedIn = await ask(tls.url, "/api/v1/session", json({ name: "ann", password: PASSWORD }));
  assert.equal(signedIn.status, 200, signedIn.body);
  const [cookie = ""] = signedIn.headers["set-cookie"] ?? [];
  assert.match(cookie, /^__Host-kvmm-\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+; Secure$/);
  const secret = cookie.split(";")[0]!;
  assert.equal((await ask(tls.url, "/api/v1/session", { headers: { cookie: secret } })).status, 200);
  const plain = await fetch(`${tls.server.url}/api/v1/session`, { headers: { cookie: secret } });
  assert.equal(plain.status, 401, "a plain connection does not take it");
  await plain.body?.cancel();
});

Deno.test("HSTS: not with a certificate of our own, with an issued one, and as it is set", async (t) => {
  const hsts = (answer: Answer) => answer.headers["strict-transport-security"];
  for (const [args, expected] of [[[], undefined], [["--hsts", "on"], "max-age=31536000"]] as const) {
    await t.step(`our own certificate, ${args.join(" ") || "nothing set"}`, async () => {
      await using tls = await startTlsServer({ args });
      assert.equal(hsts(await ask(tls.url, "/sign-in")), expected);
      const plain = await fetch(`${tls.server.url}/sign-in`);
      await plain.body?.cancel();
      assert.equal(plain.headers.get("strict-transport-security"), null, "never without TLS");
    });
  }
  const folder = await issued();
  try {
    const files = ["--tls-cert", `${folder}/chain.pem`, "--tls-key", `${folder}/key.pem`];
    for (const [more, expected] of [[[], "max-age=31536000"], [["--hsts", "off"], undefined]] as const) {
      await t.step(`an issued certificate, ${more.join(" ") || "nothing set"}`, async () => {
        await using tls = await startTlsServer({ args: [...files, ...more] });
        assert.equal(hsts(await ask(tls.url, "/sign-in")), expected);
        assert.equal(hsts(await ask(tls.url, "/api/v1/vms")), expected, "errors too");
        const { certificate } = await certificateOf(tls);
        assert.deepEqual([certificate!.origin, certificate!.selfSigned], ["files", false]);
        const trusted = await handshake(tls.port, ["-CAfile", `${folder}/ca.pem`, "-verify_return_error"]);
        assert.match(trusted, /Verify return code: 0 \(ok\)/, "the chain is sent");
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a changed certificate serves without a restart; a bad one is told of and the old one stays", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const files = { cert: `${folder}/cert.pem`, key: `${folder}/key.pem` };
  const write = async ({ cert, key }: { cert: string; key: string }) => {
    await Deno.writeTextFile(files.cert, cert);
    await Deno.writeTextFile(files.key, key);
  };
  const pair = () => makePair(["localhost", "127.0.0.1"], Date.now());
  try {
    await write(pair());
    await using tls = await startTlsServer({ args: ["--tls-cert", files.cert, "--tls-key", files.key] });
    const first = await servedFingerprint(tls.port);

    await write({ cert: pair().cert, key: pair().key });
    await until("the fault to be told", async () => (await certificateOf(tls)).certificate!.problem, {
      seconds: 10,
    });
    assert.match((await certificateOf(tls)).certificate!.problem!, /do not belong together/);
    assert.match(tls.server.log(), /error the TLS certificate was not taken/);
    assert.equal(await servedFingerprint(tls.port), first, "the old one stays");

    await write(pair());
    const second = await otherThan(tls.port, first);
    const { certificate } = await certificateOf(tls);
    assert.deepEqual([certificate!.fingerprint, certificate!.problem], [second, null]);

    await write(pair());
    Deno.kill(tls.server.pid, "SIGHUP");
    const third = await otherThan(tls.port, second);
    assert.notEqual(third, second);
    assert.equal((await ask(tls.url, "/sign-in")).status, 200, "and lives on");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a start with files that cannot serve says which and why, and ends with status 2", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const start = async (...args: string[]) => {
    const { code, stderr } = await new Deno.Command(await buildBinary(), {
      args: [
        ...["serve", "--uri", "test:///default"],
        "--data-dir",
        `${folder}/data`,
        "--runtime-dir",
        `${folder}/run`,
        "--listen",
        "https://127.0.0.1:0",
        ...args,
      ],
      stdout: "null",
      stderr: "piped",
    }).output();
    return [code, new TextDecoder().decode(stderr)] as const;
  };
  try {
    const pair = makePair(["localhost"], Date.now());
    await Deno.writeTextFile(`${folder}/cert.pem`, pair.cert);
    await Deno.writeTextFile(`${folder}/key.pem`, makePair(["localhost"], Date.now()).key);
    await Deno.chmod(folder, 0o777); // the demo gives up root before it looks at its addresses
    const cases: [args: string[], said: RegExp][] = [
      // First: what root has made the demo cannot write to
      [["--demo", "--listen", "0.0.0.0:0"], /--demo lets in whoever comes: it listens on loopback alone/],
      [["--tls-cert", `${folder}/cert.pem`, "--tls-key", `${folder}/key.pem`], /do not belong together/],
      [["--tls-cert", `${folder}/cert.pem`], /--tls-cert and --tls-key belong together/],
      [["--tls-cert", `${folder}/none.pem`, "--tls-key", `${folder}/key.pem`], /none\.pem cannot be read/],
      [["--listen", "http://0.0.0.0:0"], /without TLS passwords would go over the network/],
      [["--trusted-proxy", "nonsense"], /--trusted-proxy: "nonsense" is no address or subnet/],
      [["--base-path", "kvm"], /--base-path: .*no path like \/kvm/],
      [["--host-name", "a b"], /--host-name: "a b" is no host name/],
    ];
    for (const [args, said] of cases) {
      const [code, stderr] = await start(...args);
      assert.match(stderr, said);
      assert.equal(code, 2, args.join(" "));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test({
  name:
    "beyond loopback: TLS at the host's own names and addresses and those that are set, no other (threat 12)",
  ignore: skippedUnless(ADDRESS !== undefined, "this machine has no address other than loopback"),
  fn: async () => {
    await using tls = await startTlsServer({ args: ["--listen", "0.0.0.0:0", "--host-name", "kvm.example"] });
    const port = Number(/https:\/\/[\w.-]+:(\d+)/.exec(tls.server.log().replaceAll(tls.url, ""))![1]);
    const at = (host: string, headers: Record<string, string> = {}) =>
      ask(`https://${ADDRESS}:${port}`, "/sign-in", { headers: { host, ...headers } });
    const own = [
      `${ADDRESS}:${port}`,
      `localhost:${port}`,
      `${Deno.hostname().toLowerCase()}:${port}`,
      "kvm.example",
    ];
    for (const host of own) assert.equal((await at(host)).status, 200, host);
    const foreign = [
      "evil.example",
      `evil.example:${port}`,
      `${ADDRESS}:${port + 1}`,
      `${ADDRESS}.evil.example:${port}`,
    ];
    for (const host of foreign) assert.equal((await at(host)).status, 421, host);
    // No proxy is configured: headers by which a client describes itself are ignored.
    const forged = await at("evil.example", {
      "x-forwarded-host": "localhost",
      "x-forwarded-proto": "https",
    });
    assert.equal(forged.status, 421);
    const origins = {
      [`https://${ADDRESS}:${port}`]: 401,
      [`http://${ADDRESS}:${port}`]: 403,
      "https://evil.example": 403,
    };
    for (const [origin, status] of Object.entries(origins)) {
      const answer = await ask(`https://${ADDRESS}:${port}`, "/api/v1/vms", { headers: { origin } });
      assert.equal(answer.status, status, origin);
    }
  },
});

Deno.test("handshakes that never end are cut in time, and do not delay others (threat 20)", async () => {
  await using tls = await startTlsServer();
  const hello = new Uint8Array([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]);
  const cut = async (what: string, send: (connection: Deno.TcpConn) => Promise<unknown>) => {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: tls.port });
    const begin = performance.now();
    const sending = send(connection).catch(() => "it was cut");
    const buffer = new Uint8Array(1024);
    try {
      while (await connection.read(buffer) !== null);
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
    }
    const ms = performance.now() - begin;
    await sending;
    console.log(`      ${what}: cut after ${(ms / 1000).toFixed(1)} s`);
    assert.ok(ms > 5000 && ms < 14_000, `${what}: ${ms} ms`);
  };
  const dripping = async (connection: Deno.TcpConn) => {
    for (const byte of [...hello, ...Array<number>(100).fill(0)]) {
      await connection.write(new Uint8Array([byte]));
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  };
  let waiting = true;
  const waits = Promise.all([
    cut("nothing at all", () => Promise.resolve()),
    cut("half a greeting", (connection) => connection.write(hello)),
    cut("a greeting byte by byte", dripping),
    cut(
      "half a plain request",
      (connection) => connection.write(new TextEncoder().encode("GET / HTTP/1.1\r\nx: ")),
    ),
  ]).finally(() => waiting = false);
  while (waiting) {
    const begin = performance.now();
    assert.equal((await ask(tls.url, "/sign-in")).status, 200);
    assert.ok(performance.now() - begin < 2000, "others had to wait");
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  await waits;
});

Deno.test({
  name: "one user of this host has so many connections, one address so many requests a second (threat 20)",
  ignore: skippedUnless(ADDRESS !== undefined, "this machine has no address other than loopback"),
  fn: async () => {
    await using tls = await startTlsServer({ args: ["--listen", `${ADDRESS}:0`] });
    const port = Number(
      new RegExp(`https://${ADDRESS!.replaceAll(".", "\\.")}:(\\d+)`).exec(tls.server.log())![1],
    );
    const opened: Deno.TcpConn[] = [];
    try {
      for (let count = 0; count < 200; count++) opened.push(await Deno.connect({ hostname: ADDRESS!, port }));
      let closed = 0;
      for (const connection of opened) {
        const ended = () => void closed++;
        void connection.read(new Uint8Array(1)).then((read) => read === null && ended(), ended);
      }
      const most = 128, beyond = opened.length - most;
      await until("those beyond to be closed", () => Promise.resolve(closed >= beyond), { seconds: 10 });
      await delay(500);
      assert.equal(closed, beyond, "whose address is this host's is one of its users");
      assert.equal((await ask(tls.url, "/sign-in")).status, 200, "another address");
    } finally {
      for (const connection of opened) connection.close();
    }
    const own = `https://${ADDRESS}:${port}`;
    // The server learns a moment later that the connections are gone
    await until("room for this address", () => ask(own, "/favicon.svg").catch(() => undefined));
    const statuses = new Map<number, number>();
    const agent = new Agent({ keepAlive: true, maxSockets: 20 });
    await until("the limit on requests", async () => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => ask(own, "/favicon.svg", { agent })),
      );
      for (const { status, headers } of answers) {
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        if (status === 429) assert.equal(headers["retry-after"], "1");
      }
      return statuses.has(429) ? true : undefined;
    }, { seconds: 60, every: 0 });
    agent.destroy();
    console.log(`      answered ${statuses.get(200)}, then refused`);
    assert.ok(statuses.get(200)! >= 2000, "a burst is no attack");
    assert.deepEqual([...statuses.keys()].toSorted(), [200, 429]);
    assert.equal((await ask(tls.url, "/sign-in")).status, 200, "another address");
    await atSocket(tls.server.socket, "get_session", {});
  },
});

/** A folder with a certificate that a CA of its own has issued: `key.pem`, `chain.pem`, `ca.pem`. */
async function issued(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const openssl = (...args: string[]) => run(["openssl", ...args], { cwd: folder });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await openssl(
    "req",
    "-x509",
    ...key,
    "-keyout",
    "ca-key.pem",
    "-out",
    "ca.pem",
    "-subj",
    "/CN=Test CA",
    "-days",
    "9",
  );
  await openssl("req", ...key, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=localhost");
  await Deno.writeTextFile(`${folder}/names`, "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
  const from = [
    "-in",
    "request.pem",
    "-CA",
    "ca.pem",
    "-CAkey",
    "ca-key.pem",
    "-CAcreateserial",
    "-extfile",
    "names",
  ];
  await openssl("x509", "-req", ...from, "-out", "cert.pem", "-days", "9");
  await Deno.writeTextFile(
    `${folder}/chain.pem`,
    await Deno.readTextFile(`${folder}/cert.pem`) + await Deno.readTextFile(`${folder}/ca.pem`),
  );
  return folder;
}
