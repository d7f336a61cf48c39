/** The folder of the API socket, and where it is said. The command line looks here without reading all settings. */

/** Environment that defaults depend on. */
export interface Where {
  readonly root: boolean;
  readonly env: (name: string) => string | undefined;
}

/** The runtime folder of the server that is the host's: root's, and the installed service's. */
export const HOST_RUNTIME_DIR = "/run/kvm-manager";
/** Variable of the setting. */
export const RUNTIME_DIR_ENV = "KVMM_RUNTIME_DIR";
/** Name of the setting in the config file and as a flag. */
export const RUNTIME_DIR_FLAG = "runtime-dir";

/** The config file: read when it is there and `--config` names no other. */
export const DEFAULT_CONFIG = "/etc/kvm-manager/config.toml";
/** Variable that names another one. */
export const CONFIG_ENV = "KVMM_CONFIG";

/** A non-root user's folder: the XDG variable, or its place below HOME. */
export const userDir = ({ env }: Where, variable: string, fallback: string) =>
  `${env(variable) || `${env("HOME") || "/tmp"}/${fallback}`}/kvm-manager`;

/** The folder when nothing says another. */
export const defaultRuntimeDir = (where: Where) =>
  where.root ? HOST_RUNTIME_DIR : userDir(where, "XDG_RUNTIME_DIR", ".cache");
