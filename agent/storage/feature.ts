/** Storage pools, their volumes, and what goes into and out of them. */
import type {
  storageCommands,
  transferCommands,
  volumeCommands,
  volumeCopyCommands,
} from "../../lib/contract/mod.ts";
import { feature } from "../feature.ts";
import { binSteps } from "./bin/steps.ts";
import { copyToHost } from "./copy_to_host.ts";
import { poolHandlers } from "./pool_handlers.ts";
import { poolSteps } from "./pool_steps.ts";
import { transferHandlers } from "./transfer_handlers.ts";
import { Uploads } from "./uploads.ts";
import { volumeHandlers } from "./volume_handlers.ts";
import { volumeSteps } from "./volume_steps.ts";

type StorageCommand =
  | keyof typeof storageCommands
  | keyof typeof volumeCommands
  | keyof typeof transferCommands;

export const storageFeature = feature<
  keyof typeof volumeCopyCommands,
  StorageCommand,
  keyof typeof poolSteps | keyof typeof volumeSteps | keyof typeof binSteps
>({
  name: "storage",
  steps: { ...poolSteps, ...volumeSteps, ...binSteps },
  open: (app) => ({
    handlers: copyToHost(app),
    host: (host) => {
      const uploads = new Uploads(host, () => app.images.policy());
      return {
        handlers: { ...poolHandlers(host), ...volumeHandlers(host), ...transferHandlers(host, uploads) },
        stop: () => uploads.stop(),
      };
    },
  }),
});
