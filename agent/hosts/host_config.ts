/** Configuration of a host that is reached by libvirt. */
import type { LibvirtLogin } from "../../ffi/address.ts";

/** Settings of a host: its libvirt, its name and its login. */
export interface HostConfig {
  /** Name of the host in commands, events and rows. */
  readonly id: string;
  /** Display name; the id when left out. */
  readonly label?: string;
  /** libvirt's connection URI. */
  readonly uri: string;
  /** The user of its libvirt, if that asks for one. */
  readonly login?: LibvirtLogin;
}
