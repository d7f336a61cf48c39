/** Reflection: the files, as descriptors, by name and by what they hold. */
import { fileDescriptor } from "../../lib/grpc/descriptors.ts";
import type { ProtoFile } from "../../lib/grpc/model.ts";
import { GRPC } from "../../lib/grpc/status.ts";

/** A question of reflection, one of these fields. */
export interface ReflectionRequest {
  readonly host: string;
  readonly fileByFilename?: string;
  readonly fileContainingSymbol?: string;
  readonly fileContainingExtension?: unknown;
  readonly allExtensionNumbersOfType?: string;
  readonly listServices?: string;
}

export class Reflection {
  readonly #byPath: ReadonlyMap<string, ProtoFile>;
  readonly #bySymbol: ReadonlyMap<string, ProtoFile>;
  readonly #descriptors = new Map<string, Uint8Array>();

  constructor(private readonly files: readonly ProtoFile[]) {
    this.#byPath = new Map(files.map((file) => [file.path, file]));
    this.#bySymbol = new Map(
      files.flatMap((file) =>
        [
          ...file.messages.map(({ name }) => name),
          ...file.enums.map(({ name }) => name),
          ...file.services.flatMap(({ name, methods }) => [
            name,
            ...methods.map((each) => `${name}.${each.name}`),
          ]),
        ].map((symbol) => [symbol, file] as const)
      ),
    );
  }

  /** The answer to a question. */
  answer(request: ReflectionRequest): Record<string, unknown> {
    const asked = { validHost: request.host, originalRequest: request };
    if (request.listServices !== undefined) {
      const service = this.files.flatMap(({ services }) => services.map(({ name }) => ({ name })));
      return { ...asked, listServicesResponse: { service } };
    }
    const { fileByFilename: path, fileContainingSymbol: symbol } = request;
    const file = path !== undefined ? this.#byPath.get(path) : this.#bySymbol.get(symbol ?? "");
    if (file !== undefined) {
      return { ...asked, fileDescriptorResponse: { fileDescriptorProto: this.#withImports(file) } };
    }
    const missing = path ?? symbol ?? "of extensions: there are none";
    return {
      ...asked,
      errorResponse: { errorCode: GRPC.NOT_FOUND, errorMessage: `there is nothing ${missing.slice(0, 256)}` },
    };
  }

  /** A file and what it imports. */
  #withImports(file: ProtoFile): Uint8Array[] {
    const imported = file.imports.flatMap((path) => this.#byPath.get(path) ?? []);
    return [file, ...imported].map((each) => {
      const known = this.#descriptors.get(each.path) ?? fileDescriptor(each);
      this.#descriptors.set(each.path, known);
      return known;
    });
  }
}
