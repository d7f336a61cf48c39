/** The hosts: what each is, how it does, and what happened on it. */
import { feature } from "../feature.ts";
import { type HostHandlers, hostHandlers, type HostListHandlers, hostListHandlers } from "./handlers.ts";
import { HOST_MIGRATIONS } from "./records.ts";

export const hostFeature = feature<keyof HostListHandlers, keyof HostHandlers>({
  name: "host",
  migrations: HOST_MIGRATIONS,
  open: (app) => ({
    handlers: hostListHandlers(app),
    host: (host) => ({ handlers: hostHandlers(host, app) }),
  }),
});
