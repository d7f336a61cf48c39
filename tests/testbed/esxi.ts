/**
 * A stand-in for an ESXi host or a vCenter: answers over HTTPS what libvirt's `esx` and `vpx` drivers ask (SOAP of the VI API)
 * and gives the files of its datastore by ranges. What it answers is what libvirt's driver takes: no client of ours decides it.
 */
import { createHash, X509Certificate } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { run } from "./process.ts";
import { bootableDisk } from "./self_writer.ts";
import { localhostCertificate } from "./tls.ts";

const MIB = 2 ** 20;

/** Credentials that it accepts. */
export const ESXI_LOGIN = { username: "root", password: 'of "ESXi" & <that> host' } as const;

/** A VM that it has. */
export interface StandInVm {
  readonly name: string;
  readonly uuid: string;
  readonly state: "poweredOn" | "poweredOff" | "suspended";
  /** `[datastore1] web/web.vmx`. */
  readonly vmx: string;
}

/** How it misbehaves. */
export interface Misbehaviour {
  /** Answers each SOAP call so, instead. */
  soap?: ((response: ServerResponse) => void) | undefined;
  /** Answers each download so, instead. @returns whether it did */
  folder?: ((request: IncomingMessage, response: ServerResponse, path: string) => boolean) | undefined;
}

export interface StandInEsxi extends AsyncDisposable {
  /** `localhost:PORT`. */
  readonly origin: string;
  /** SHA-256 of its certificate, 64 hexadecimal digits. */
  readonly fingerprint: string;
  /** Files by `[datastore1] web/web.vmx`: their paths here. */
  readonly files: Map<string, string>;
  readonly vms: StandInVm[];
  readonly misbehaves: Misbehaviour;
  /** Names of the SOAP calls that came. */
  readonly calls: string[];
  /** Ranges that were asked for: path and header. */
  readonly ranges: [path: string, range: string][];
  /** Sessions that are open. */
  readonly sessions: ReadonlySet<string>;
  /** Cuts all connections. */
  cut(): void;
  /** Gives it another certificate. */
  renew(): Promise<void>;
}

const escaped = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
const unescaped = (text: string) =>
  text.replaceAll("&quot;", '"').replaceAll("&apos;", "'").replaceAll("&lt;", "<").replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");

const envelope = (body: string) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" ` +
  `xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">` +
  `<soapenv:Body>${body}</soapenv:Body></soapenv:Envelope>`;
const answerOf = (name: string, value: string) =>
  envelope(`<${name}Response xmlns="urn:vim25">${value}</${name}Response>`);
const fault = (type: string, text: string) =>
  envelope(
    `<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>${text}</faultstring>` +
      `<detail><${type}Fault xmlns="urn:vim25" xsi:type="${type}"/></detail></soapenv:Fault>`,
  );
const reference = (type: string, id: string) =>
  `<val xsi:type="ManagedObjectReference" type="${type}">${id}</val>`;
const text = (value: string, type = "xsd:string") => `<val xsi:type="${type}">${escaped(value)}</val>`;

const SESSION =
  "<returnval><key>52a</key><userName>root</userName><fullName>root</fullName><loginTime>2026-01-01T00:00:00Z</loginTime>" +
  "<lastActiveTime>2026-01-01T00:00:00Z</lastActiveTime><locale>en</locale><messageLocale>en</messageLocale></returnval>";

/** An object of its inventory. */
interface Managed {
  readonly type: string;
  readonly id: string;
  /** XML by the path of each property. */
  readonly properties: Readonly<Record<string, string>>;
}

class StandIn {
  readonly calls: string[] = [];
  readonly ranges: [string, string][] = [];
  readonly files = new Map<string, string>();
  readonly vms: StandInVm[] = [];
  readonly misbehaves: Misbehaviour = {};
  readonly sessions = new Set<string>();

  constructor(readonly kind: "esx" | "vcenter") {}

  #about(): string {
    const isEsx = this.kind === "esx";
    const product = isEsx ? "VMware ESXi" : "VMware vCenter Server";
    return `<about><name>${product}</name><fullName>${product} 7.0.3 build-19193900</fullName><vendor>VMware, Inc.</vendor>` +
      `<version>7.0.3</version><build>19193900</build><localeVersion>INTL</localeVersion><localeBuild>000</localeBuild>` +
      `<osType>${isEsx ? "vmnix-x86" : "linux-x64"}</osType><productLineId>${
        isEsx ? "embeddedEsx" : "vpx"
      }</productLineId>` +
      `<apiType>${isEsx ? "HostAgent" : "VirtualCenter"}</apiType><apiVersion>7.0.3.0</apiVersion></about>`;
  }

  #inventory(): Managed[] {
    const datastore = "vmfs/volumes/5f0a-1";
    return [
      {
        type: "SessionManager",
        id: "ha-sessionmgr",
        properties: {
          currentSession: SESSION.replace("<returnval>", '<val xsi:type="UserSession">').replace(
            "</returnval>",
            "</val>",
          ),
        },
      },
      {
        type: "Folder",
        id: "ha-folder-root",
        properties: { name: text("ha-folder-root") },
      },
      {
        type: "Datacenter",
        id: "ha-datacenter",
        properties: {
          name: text(this.kind === "esx" ? "ha-datacenter" : "Berlin"),
          hostFolder: reference("Folder", "ha-folder-host"),
          vmFolder: reference("Folder", "ha-folder-vm"),
        },
      },
      {
        type: "ComputeResource",
        id: "ha-compute-res",
        properties: {
          name: text(this.kind === "esx" ? "localhost." : "esxi1"),
          host:
            `<val xsi:type="ArrayOfManagedObjectReference"><ManagedObjectReference type="HostSystem" xsi:type="ManagedObjectReference">ha-host</ManagedObjectReference></val>`,
          resourcePool: reference("ResourcePool", "ha-root-pool"),
        },
      },
      {
        type: "HostSystem",
        id: "ha-host",
        properties: {
          name: text(this.kind === "esx" ? "localhost." : "esxi1"),
          "hardware.systemInfo.uuid": text("4c4c4544-0042-4a10-8031-b4c04f4a3233"),
          "runtime.inMaintenanceMode": text("false", "xsd:boolean"),
          "summary.managementServerIp": "",
          "config.product.version": text("7.0.3"),
          "hardware.cpuFeature":
            `<val xsi:type="ArrayOfHostCpuIdInfo"><HostCpuIdInfo xsi:type="HostCpuIdInfo"><level>-2147483647</level>` +
            `<eax>0000:0000:0000:0000:0000:0000:0000:0000</eax><ebx>0000:0000:0000:0000:0000:0000:0000:0000</ebx>` +
            `<ecx>0000:0000:0000:0000:0000:0000:0000:0000</ecx><edx>0010:1000:0001:0000:0000:1000:0000:0000</edx></HostCpuIdInfo></val>`,
        },
      },
      {
        type: "Datastore",
        id: "ha-ds",
        properties: {
          "summary.accessible": text("true", "xsd:boolean"),
          "summary.name": text("datastore1"),
          "summary.url": text(`ds:///${datastore}/`),
          host:
            `<val xsi:type="ArrayOfDatastoreHostMount"><DatastoreHostMount xsi:type="DatastoreHostMount"><key type="HostSystem">ha-host</key>` +
            `<mountInfo><path>/${datastore}</path><accessMode>readWrite</accessMode><mounted>true</mounted><accessible>true</accessible></mountInfo></DatastoreHostMount></val>`,
        },
      },
      ...this.vms.map((vm, at): Managed => ({
        type: "VirtualMachine",
        id: String(at + 1),
        properties: {
          name: text(vm.name),
          configStatus: text("green", "ManagedEntityStatus"),
          "config.uuid": text(vm.uuid),
          "config.name": text(vm.name),
          "config.files.vmPathName": text(vm.vmx),
          "runtime.powerState": text(vm.state, "VirtualMachinePowerState"),
        },
      })),
    ];
  }

  /** RetrieveProperties: of each object of the types that are asked for, the properties. */
  #properties(body: string): string {
    const wanted = [...body.matchAll(/<propSet[^>]*>(.*?)<\/propSet>/gs)].map(([, set = ""]) => ({
      type: /<type[^>]*>([^<]*)</.exec(set)![1]!,
      paths: [...set.matchAll(/<pathSet[^>]*>([^<]*)</g)].map(([, path]) => path!),
    }));
    const [, startType = "", startId = ""] = /<obj [^>]*type="([A-Za-z]+)"[^>]*>([^<]*)</.exec(body) ?? [];
    const traverses = /<selectSet/.test(body);
    const found = this.#inventory().flatMap(({ type, id, properties }) => {
      const set = wanted.find((each) =>
        each.type === type || each.type === "ManagedEntity" && type !== "SessionManager"
      );
      if (set === undefined || !traverses && !(type === startType && id === startId)) return [];
      const known = set.paths.filter((path) => (properties[path] ?? "") !== "").map((path) =>
        `<propSet><name>${path}</name>${properties[path]}</propSet>`
      );
      return [`<returnval><obj type="${type}">${id}</obj>${known.join("")}</returnval>`];
    });
    return answerOf("RetrieveProperties", found.join(""));
  }

  soap(request: IncomingMessage, response: ServerResponse, body: string): void {
    const [, name = ""] = /<soapenv:Body>\s*<([A-Za-z_]+)/.exec(body) ?? [];
    this.calls.push(name);
    if (this.misbehaves.soap !== undefined) return this.misbehaves.soap(response);
    const send = (status: number, xml: string, headers: Record<string, string> = {}) => {
      response.writeHead(status, { "content-type": "text/xml; charset=utf-8", ...headers });
      response.end(xml);
    };
    if (name === "RetrieveServiceContent") {
      return send(
        200,
        answerOf(
          name,
          `<returnval><rootFolder type="Folder">ha-folder-root</rootFolder><propertyCollector type="PropertyCollector">ha-property-collector</propertyCollector>` +
            `${this.#about()}<sessionManager type="SessionManager">ha-sessionmgr</sessionManager><perfManager type="PerformanceManager">ha-perfmgr</perfManager>` +
            `<searchIndex type="SearchIndex">ha-searchindex</searchIndex></returnval>`,
        ),
      );
    }
    if (name === "Login") {
      const [, username = ""] = /<userName[^>]*>([^<]*)</.exec(body) ?? [];
      const [, password = ""] = /<password[^>]*>([^<]*)</.exec(body) ?? [];
      if (unescaped(username) !== ESXI_LOGIN.username || unescaped(password) !== ESXI_LOGIN.password) {
        return send(
          500,
          fault("InvalidLogin", "Cannot complete login due to an incorrect user name or password."),
        );
      }
      const key = crypto.randomUUID();
      this.sessions.add(key);
      return send(200, answerOf(name, SESSION), {
        "set-cookie": `vmware_soap_session="${key}"; Path=/; HttpOnly; Secure;`,
      });
    }
    if (!this.#isLetIn(request)) {
      return send(500, fault("NotAuthenticated", "The session is not authenticated."));
    }
    if (name === "RetrieveProperties") return send(200, this.#properties(body));
    if (name === "SessionIsActive") return send(200, answerOf(name, "<returnval>true</returnval>"));
    if (name === "Logout") {
      this.sessions.delete(this.#session(request));
      return send(200, answerOf(name, ""));
    }
    if (name === "FindByUuid") {
      const [, uuid] = /<uuid[^>]*>([^<]*)</.exec(body) ?? [];
      const at = this.vms.findIndex((vm) => vm.uuid === uuid);
      return send(
        200,
        answerOf(name, at < 0 ? "" : `<returnval type="VirtualMachine">${at + 1}</returnval>`),
      );
    }
    send(500, fault("NotSupported", `${name} is not supported`));
  }

  #session(request: IncomingMessage): string {
    return /vmware_soap_session="?([0-9a-f-]{36})/.exec(request.headers.cookie ?? "")?.[1] ?? "";
  }

  #isLetIn(request: IncomingMessage): boolean {
    const { username, password } = ESXI_LOGIN;
    const basic = `Basic ${new TextEncoder().encode(`${username}:${password}`).toBase64()}`;
    return this.sessions.has(this.#session(request)) || request.headers.authorization === basic;
  }

  async folder(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, "https://localhost");
    const path = decodeURIComponent(url.pathname.slice("/folder/".length));
    const { range = "" } = request.headers;
    this.ranges.push([path, range]);
    if (!this.#isLetIn(request)) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="VMware HTTP server"' });
      return void response.end();
    }
    if (this.misbehaves.folder?.(request, response, path)) return;
    const file = this.files.get(`[${url.searchParams.get("dsName")}] ${path}`);
    const isPlace = url.searchParams.get("dcPath") === (this.kind === "esx" ? "ha-datacenter" : "Berlin");
    const info = file === undefined || !isPlace ? undefined : await Deno.stat(file);
    if (file === undefined || info === undefined) {
      response.writeHead(404);
      return void response.end();
    }
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range) ?? [];
    const start = Number(first ?? 0), end = last ? Math.min(Number(last) + 1, info.size) : info.size;
    if (start >= info.size && info.size > 0) {
      response.writeHead(416);
      return void response.end();
    }
    response.writeHead(first === undefined ? 200 : 206, {
      "content-length": String(end - start),
      "content-type": "application/octet-stream",
      "last-modified": info.mtime!.toUTCString(),
      ...(first !== undefined && { "content-range": `bytes ${start}-${end - 1}/${info.size}` }),
    });
    if (request.method === "HEAD") return void response.end();
    response.setMaxListeners(0);
    using open = await Deno.open(file);
    await open.seek(start, Deno.SeekMode.Start);
    const piece = new Uint8Array(64 * 1024);
    for (let at = start; at < end && !response.destroyed;) {
      const count = await open.read(piece.subarray(0, Math.min(piece.length, end - at)));
      if (count === null) break;
      at += count;
      if (!response.write(piece.slice(0, count))) {
        await new Promise<void>((resolve) => {
          response.once("drain", resolve);
          response.once("close", resolve);
        });
      }
    }
    response.end();
  }
}

/** Starts one on loopback. */
export async function standInEsxi(kind: "esx" | "vcenter" = "esx"): Promise<StandInEsxi> {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-esxi-" });
  const standIn = new StandIn(kind), sockets = new Set<Socket>();
  let server: Server | undefined, port = 0, fingerprint = "";
  const start = async () => {
    const [key, certificate] = [`${folder}/key.pem`, `${folder}/certificate.pem`];
    await localhostCertificate(key, certificate);
    const cert = await Deno.readTextFile(certificate);
    fingerprint = createHash("sha256").update(new X509Certificate(cert).raw).digest("hex");
    server = createServer({ key: await Deno.readTextFile(key), cert }, (request, response) => {
      response.on("error", () => {/* the other side hung up */});
      if (request.url?.startsWith("/folder/")) return void standIn.folder(request, response);
      const pieces: Uint8Array[] = [];
      request.on("data", (piece: Uint8Array) => pieces.push(piece));
      request.on("end", () => {
        standIn.soap(
          request,
          response,
          new TextDecoder().decode(new Uint8Array(pieces.flatMap((piece) => [...piece]))),
        );
      });
    });
    server.on("connection", (socket: Socket) => {
      sockets.add(socket);
      socket.on("error", () => {/* the other side hung up */});
      socket.on("close", () => sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server!.listen(port, "127.0.0.1", () => resolve()));
    port = (server.address() as AddressInfo).port;
  };
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const stop = async () => {
    cut();
    await new Promise<void>((resolve) => server!.close(() => resolve()));
  };
  await start();
  const { files, vms, misbehaves, calls, ranges, sessions } = standIn;
  return {
    origin: `localhost:${port}`,
    get fingerprint() {
      return fingerprint;
    },
    files,
    vms,
    misbehaves,
    calls,
    ranges,
    sessions,
    cut,
    renew: async () => {
      await stop();
      await start();
    },
    [Symbol.asyncDispose]: async () => {
      await stop();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** A definition with two disks in two folders of a datastore. */
const VMX = `.encoding = "UTF-8"
config.version = "8"
virtualHW.version = "19"
displayName = "web & co"
annotation = "from ESXi"
guestOS = "debian11-64"
memSize = "160"
numvcpus = "2"
scsi0.present = "TRUE"
scsi0.virtualDev = "pvscsi"
scsi0:0.present = "TRUE"
scsi0:0.deviceType = "scsi-hardDisk"
scsi0:0.fileName = "web.vmdk"
scsi0:1.present = "TRUE"
scsi0:1.deviceType = "scsi-hardDisk"
scsi0:1.fileName = "/vmfs/volumes/5f0a-1/other/data.vmdk"
ethernet0.present = "TRUE"
ethernet0.virtualDev = "vmxnet3"
ethernet0.networkName = "VM Network"
ethernet0.addressType = "vpx"
ethernet0.generatedAddress = "00:50:56:9a:00:01"
`;

/** The description of a disk on a datastore. */
const describedBy = (flat: string, mib: number) =>
  `# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\ncreateType="vmfs"\nRW ${
    mib * MIB / 512
  } VMFS "${flat}"\n`;

/** Gives a stand-in a VM that is off, with two disks in two folders, and one that runs. */
export async function furnish(
  esxi: StandInEsxi,
  folder: string,
): Promise<{ readonly boot: string; readonly data: string }> {
  const boot = `${folder}/web-flat.vmdk`, data = `${folder}/data-flat.vmdk`;
  await bootableDisk(boot, 16);
  await run(["qemu-img", "create", "-q", "-f", "raw", data, "8M"]);
  await run(["qemu-io", "-f", "raw", "-c", "write -q -P 0x5a 1M 2M", data]);
  const write = async (name: string, text: string) => {
    await Deno.writeTextFile(`${folder}/${name}`, text);
    return `${folder}/${name}`;
  };
  const files: readonly [string, string][] = [
    ["web/web.vmx", await write("web.vmx", VMX)],
    ["web/web.vmdk", await write("web.vmdk", describedBy("web-flat.vmdk", 16))],
    ["web/web-flat.vmdk", boot],
    ["other/data.vmdk", await write("data.vmdk", describedBy("data-flat.vmdk", 8))],
    ["other/data-flat.vmdk", data],
  ];
  for (const [path, file] of files) esxi.files.set(`[datastore1] ${path}`, file);
  esxi.vms.push(
    {
      name: "web & co",
      uuid: "564d0000-0000-0000-0000-000000000001",
      state: "poweredOff",
      vmx: "[datastore1] web/web.vmx",
    },
    {
      name: "on",
      uuid: "564d0000-0000-0000-0000-000000000002",
      state: "poweredOn",
      vmx: "[datastore1] on/on.vmx",
    },
  );
  return { boot, data };
}
