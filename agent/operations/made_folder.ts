/** Folders that libvirt does not manage, made as steps of operations. */
import { hostFiles } from "../machine/host_files.ts";
import { folderIdentityAt } from "./file_identity.ts";
import type { Steps } from "./operation.ts";
import type { FolderMade } from "./step.ts";

/** Makes a folder with just this mode, as a step. @throws {Error} errors of the kernel */
export async function makeFolderAsStep(steps: Steps, path: string, mode: number): Promise<void> {
  const noted = steps.add<FolderMade>({ kind: "folder-made", path, file: null, at: Date.now() });
  await hostFiles.mkdir(path, { mode });
  noted.know({ file: await folderIdentityAt(path) });
  await hostFiles.chmod(path, mode); // the process's umask took some of it
}
