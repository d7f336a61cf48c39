/**
 * Files of others that we speak: health, reflection, the details of errors. Pure. Sources: grpc/health/v1/health.proto,
 * grpc/reflection/v1/reflection.proto, google/rpc/status.proto, google/rpc/error_details.proto, google/protobuf/any.proto.
 */
import { field, type ProtoFile, type ProtoMessage } from "./model.ts";

const many = { presence: "repeated" } as const, maybe = { presence: "optional" } as const;

const HEALTH_PACKAGE = "grpc.health.v1";
export const HEALTH_SERVICE = `${HEALTH_PACKAGE}.Health`;

export const HEALTH_FILE: ProtoFile = {
  path: "grpc/health/v1/health.proto",
  package: HEALTH_PACKAGE,
  imports: [],
  enums: [{
    name: `${HEALTH_PACKAGE}.ServingStatus`,
    values: ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"],
  }],
  messages: [
    { name: `${HEALTH_PACKAGE}.HealthCheckRequest`, fields: [field(1, "service", "string")] },
    {
      name: `${HEALTH_PACKAGE}.HealthCheckResponse`,
      fields: [field(1, "status", `${HEALTH_PACKAGE}.ServingStatus`)],
    },
  ],
  services: [{
    name: HEALTH_SERVICE,
    methods: [
      {
        name: "Check",
        input: `${HEALTH_PACKAGE}.HealthCheckRequest`,
        output: `${HEALTH_PACKAGE}.HealthCheckResponse`,
      },
      {
        name: "Watch",
        input: `${HEALTH_PACKAGE}.HealthCheckRequest`,
        output: `${HEALTH_PACKAGE}.HealthCheckResponse`,
        serverStreams: true,
      },
    ],
  }],
};

/** Reflection in a version: both have the same messages. */
function reflectionFile(version: "v1" | "v1alpha"): ProtoFile {
  const name = `grpc.reflection.${version}`;
  const request = { presence: "optional", oneof: "message_request" } as const;
  const response = { presence: "optional", oneof: "message_response" } as const;
  const extension = `${name}.ExtensionRequest`, list = `${name}.ListServiceResponse`;
  return {
    path: `grpc/reflection/${version}/reflection.proto`,
    package: name,
    imports: [],
    enums: [],
    messages: [
      {
        name: `${name}.ServerReflectionRequest`,
        fields: [
          field(1, "host", "string"),
          field(3, "file_by_filename", "string", request),
          field(4, "file_containing_symbol", "string", request),
          field(5, "file_containing_extension", extension, request),
          field(6, "all_extension_numbers_of_type", "string", request),
          field(7, "list_services", "string", request),
        ],
      },
      {
        name: extension,
        fields: [field(1, "containing_type", "string"), field(2, "extension_number", "int32")],
      },
      {
        name: `${name}.ServerReflectionResponse`,
        fields: [
          field(1, "valid_host", "string"),
          field(2, "original_request", `${name}.ServerReflectionRequest`, maybe),
          field(4, "file_descriptor_response", `${name}.FileDescriptorResponse`, response),
          field(5, "all_extension_numbers_response", `${name}.ExtensionNumberResponse`, response),
          field(6, "list_services_response", list, response),
          field(7, "error_response", `${name}.ErrorResponse`, response),
        ],
      },
      {
        name: `${name}.FileDescriptorResponse`,
        fields: [field(1, "file_descriptor_proto", "bytes", many)],
      },
      {
        name: `${name}.ExtensionNumberResponse`,
        fields: [field(1, "base_type_name", "string"), field(2, "extension_number", "int32", many)],
      },
      { name: list, fields: [field(1, "service", `${name}.ServiceResponse`, many)] },
      { name: `${name}.ServiceResponse`, fields: [field(1, "name", "string")] },
      {
        name: `${name}.ErrorResponse`,
        fields: [field(1, "error_code", "int32"), field(2, "error_message", "string")],
      },
    ],
    services: [{
      name: `${name}.ServerReflection`,
      methods: [{
        name: "ServerReflectionInfo",
        clientStreams: true,
        serverStreams: true,
        input: `${name}.ServerReflectionRequest`,
        output: `${name}.ServerReflectionResponse`,
      }],
    }],
  };
}

export const REFLECTION_FILES: readonly ProtoFile[] = [reflectionFile("v1"), reflectionFile("v1alpha")];

/** google.protobuf.Struct and Value, for reflection: the codec has them built in. */
export const STRUCT_FILE: ProtoFile = {
  path: "google/protobuf/struct.proto",
  package: "google.protobuf",
  imports: [],
  services: [],
  enums: [{ name: "google.protobuf.NullValue", values: ["NULL_VALUE"] }],
  messages: [
    {
      name: "google.protobuf.Struct",
      fields: [field(1, "fields", "google.protobuf.Value", { presence: "map" })],
    },
    {
      name: "google.protobuf.Value",
      fields: [
        field(1, "null_value", "google.protobuf.NullValue", { ...maybe, oneof: "kind" }),
        field(2, "number_value", "double", { ...maybe, oneof: "kind" }),
        field(3, "string_value", "string", { ...maybe, oneof: "kind" }),
        field(4, "bool_value", "bool", { ...maybe, oneof: "kind" }),
        field(5, "struct_value", "google.protobuf.Struct", { ...maybe, oneof: "kind" }),
        field(6, "list_value", "google.protobuf.ListValue", { ...maybe, oneof: "kind" }),
      ],
    },
    {
      name: "google.protobuf.ListValue",
      fields: [field(1, "values", "google.protobuf.Value", many)],
    },
  ],
};

const ANY = "google.protobuf.Any";

/** google.rpc.Status, as it travels in the trailer `grpc-status-details-bin`, and what is in it. */
export const STATUS_MESSAGES: readonly ProtoMessage[] = [
  {
    name: "google.rpc.Status",
    fields: [field(1, "code", "int32"), field(2, "message", "string"), field(3, "details", ANY, many)],
  },
  { name: ANY, fields: [field(1, "type_url", "string"), field(2, "value", "bytes")] },
  {
    name: "google.rpc.ErrorInfo",
    fields: [
      field(1, "reason", "string"),
      field(2, "domain", "string"),
      field(3, "metadata", "string", { presence: "map" }),
    ],
  },
];
