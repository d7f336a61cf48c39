/** A cable between two hosts, by which their QEMUs reach each other with QEMU's TLS: for moves past the link. */
import { makeCa, makeCertificate } from "./asking_libvirt.ts";
import type { MigrationHost } from "./migration_hosts.ts";
import { run } from "./process.ts";

const CARD = "direct0";
/** Addresses at both ends, and one at which there is no host. */
export const ADDRESS = { from: "198.18.250.1", to: "198.18.250.2", nobody: "198.18.250.3" } as const;

/** Both hosts of a move. */
interface Pair {
  readonly from: MigrationHost;
  readonly to: MigrationHost;
}

/** Folder of the certificates of a host's QEMU, outside its namespace. */
export const certificatesOf = ({ libvirt }: MigrationHost): string => `${libvirt.folder}/etc/pki`;

/** Gives both hosts a network card of their own on one cable. */
async function plugIn({ from, to }: Pair): Promise<void> {
  const pids = await Promise.all([from, to].map(({ libvirt }) => libvirt.pid()));
  const [here, there] = pids.map(String);
  await run([
    ...["ip", "link", "add", CARD, "netns", here!, "type", "veth"],
    ...["peer", "name", CARD, "netns", there!],
  ]);
  for (const [host, address] of [[from, ADDRESS.from], [to, ADDRESS.to]] as const) {
    await host.libvirt.inside("ip", "address", "add", `${address}/29`, "dev", CARD);
    await host.libvirt.inside("ip", "link", "set", CARD, "up");
  }
}

/** Bytes that a host has received by the cable. */
export async function receivedBytes({ libvirt }: MigrationHost): Promise<number> {
  const [card] = JSON.parse(await libvirt.inside("ip", "-s", "-j", "link", "show", "dev", CARD));
  return card.stats64.rx.bytes;
}

/** Gives QEMU of a host certificates for an address. @param ca folder of the CA that signs them */
export async function certify(host: MigrationHost, ca: string, address: string): Promise<void> {
  const folder = certificatesOf(host);
  await Deno.mkdir(folder, { recursive: true });
  await Deno.copyFile(`${ca}/cacert.pem`, `${folder}/ca-cert.pem`);
  for (const who of ["server", "client"] as const) {
    await makeCertificate(ca, who, address);
    for (const kind of ["key", "cert"]) {
      await Deno.copyFile(`${ca}/${who}${kind}.pem`, `${folder}/${who}-${kind}.pem`);
    }
  }
}

/**
 * Connects two hosts by a cable and gives their QEMUs certificates of one CA. Each libvirtd is started again, to read
 * where they are; afterwards both hosts are linked again.
 *
 * @param ca an empty folder for the CA
 */
export async function connectDirectly(hosts: Pair, ca: string): Promise<void> {
  const { from, to } = hosts;
  await makeCa(ca);
  await plugIn(hosts);
  for (const [host, address] of [[from, ADDRESS.from], [to, ADDRESS.to]] as const) {
    await certify(host, ca, address);
    const line = 'migrate_tls_x509_cert_dir = "/etc/libvirt/pki"\n';
    await Deno.writeTextFile(`${host.libvirt.folder}/etc/qemu.conf`, line, { append: true });
    await host.libvirt.kill();
    await host.libvirt.start();
  }
  await from.linked();
  await to.linked();
}
