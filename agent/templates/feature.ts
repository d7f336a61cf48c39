/** Templates: VMs kept as they were, and what is made of them. */
import type { templateCommands, templateCopyCommands } from "../../lib/contract/mod.ts";
import { feature } from "../feature.ts";
import { copyTemplateToHost } from "./copy_to_host.ts";
import { templateHandlers } from "./handlers.ts";
import { labelOf } from "./lock.ts";
import { TEMPLATE_MIGRATIONS } from "./records.ts";
import { createServices } from "../vm/create/facts.ts";

export const templateFeature = feature<keyof typeof templateCopyCommands, keyof typeof templateCommands>({
  name: "templates",
  migrations: TEMPLATE_MIGRATIONS,
  open: (app) => {
    const { templates: records, clock, guestfs } = app;
    return {
      handlers: copyTemplateToHost(app),
      keptOf: (hostId) => records.of(hostId).map(({ name }) => labelOf(name)),
      forgetHost: (hostId) => {
        for (const { id } of records.of(hostId)) records.remove(id);
      },
      host: (host) => {
        host.keepers.add(() =>
          [
            ...records.keptOf(host.id).map((each) => ({ ...each, isFirst: true })),
            ...records.namedOf(host.id),
          ]
            .map(({ name, id, ...place }) => ({ ...place, keeper: labelOf(name), owner: id }))
        );
        return {
          handlers: templateHandlers({
            host,
            records,
            guestfs,
            create: createServices(host, app),
            now: () => clock.now(),
          }),
        };
      },
    };
  },
});
