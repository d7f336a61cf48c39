/** Programs that people back up images with. */
import { run } from "../testbed/process.ts";

interface Tool {
  /** Of the tool, below a folder for its caches. */
  readonly env: (home: string) => Readonly<Record<string, string>>;
  readonly init: (repository: string) => readonly string[];
  readonly backup: (repository: string, file: string) => readonly string[];
}

/** With their defaults; borg without encryption, as ours, where restic has no such choice. */
const TOOLS = {
  restic: {
    env: (home) => ({ RESTIC_PASSWORD: "bench", RESTIC_CACHE_DIR: home }),
    init: (repository) => ["restic", "--quiet", "--repo", repository, "init"],
    backup: (repository, file) => ["restic", "--quiet", "--repo", repository, "backup", file],
  },
  borg: {
    env: (home) => ({ BORG_BASE_DIR: home, BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: "yes" }),
    init: (repository) => ["borg", "init", "--encryption=none", repository],
    backup: (repository, file) => ["borg", "create", `${repository}::${crypto.randomUUID()}`, file],
  },
} satisfies Record<string, Tool>;

/** A tool that is compared with. */
export type ToolName = keyof typeof TOOLS;

/** A tool with a new repository. */
export class ToolRun {
  private constructor(
    private readonly tool: Tool,
    readonly repository: string,
    private readonly env: Record<string, string>,
  ) {}

  /** Makes the repository. @param folder an empty one, for it and for caches */
  static async begin(name: ToolName, folder: string): Promise<ToolRun> {
    const tool: Tool = TOOLS[name], repository = `${folder}/repository`;
    const env = tool.env(`${folder}/home`);
    await run(tool.init(repository), { env });
    return new ToolRun(tool, repository, env);
  }

  /** Backs a file up. @throws {ProcessError} */
  async backup(file: string): Promise<void> {
    await run(this.tool.backup(this.repository, file), { env: this.env });
  }
}
