/** The packet filter of the host, as nft lists it, and the programs that steer it. */
import type { FirewallFacts } from "../../../lib/system/doctor/facts.ts";
import { forwardChains } from "../../../lib/system/doctor/chains.ts";
import { findTool, ForwardToolError, runTool } from "../../network/forwards/tools.ts";
import { there } from "./files.ts";

async function backend(): Promise<string | null> {
  try {
    const text = await Deno.readTextFile("/etc/libvirt/network.conf");
    return /^\s*firewall_backend\s*=\s*"(\w+)"/m.exec(text)?.[1] ?? null;
  } catch (error) {
    // libvirt before 10.4 has no such file; its folder is root's alone on some distributions
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) return null;
    throw error;
  }
}

/** Looks at it. */
export async function firewallFacts(): Promise<FirewallFacts> {
  const [nft, ip, dnsmasq] = await Promise.all(["nft", "ip", "dnsmasq"].map(findTool));
  let trouble: string | null = null, listed = "";
  if (nft !== undefined) {
    try {
      listed = await runTool("nft", ["-j", "list", "chains"]);
    } catch (error) {
      if (!(error instanceof ForwardToolError)) throw error;
      trouble = error.message;
    }
  }
  const [docker, firewalld, ufw] = await Promise.all([
    there(["/run/docker.sock", "/var/run/docker.sock"]),
    there(["/run/firewalld", "/run/firewalld.pid"]),
    there(["/etc/ufw/ufw.conf"]),
  ]);
  return {
    nft: nft !== undefined,
    ip: ip !== undefined,
    trouble,
    forwardChains: listed === "" ? [] : forwardChains(listed),
    docker: docker!.length > 0,
    firewalld: firewalld!.length > 0,
    ufw: ufw!.length > 0 && /^ENABLED=yes/m.test(await Deno.readTextFile("/etc/ufw/ufw.conf")),
    backend: await backend(),
    dnsmasq: dnsmasq !== undefined,
  };
}
