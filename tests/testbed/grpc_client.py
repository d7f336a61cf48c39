"""A gRPC client as a stranger has it: Google's own library, driven by lines of JSON on standard input.

Arguments: folders with generated modules. Each line is {"id", "op", ...}; each answer has the same id.
"""
import base64
import http.client
import importlib
import json
import os
import queue
import sys
import threading
import time

for folder in sys.argv[1:]:
    sys.path.insert(0, folder)

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

MODULES = [
    "kvmmanager.v1.kvm_manager_pb2",
    "mvirt_pb2",
    "grpc_health_pb2",
    "grpc_reflection_pb2",
]
SERVICES = {}
for module in MODULES:
    loaded = importlib.import_module(module)
    for service in loaded.DESCRIPTOR.services_by_name.values():
        SERVICES[service.full_name] = service


def class_of(descriptor):
    return message_factory.MessageFactory(descriptor_pool.Default()).GetPrototype(descriptor)


def plain(message):
    return json_format.MessageToDict(message, preserving_proto_field_name=True)


def failure(error):
    trailers = error.trailing_metadata() or ()
    return {
        "error": error.code().name,
        "details": error.details(),
        "trailers": {key: base64.b64encode(value).decode() if isinstance(value, bytes) else value
                     for key, value in trailers},
    }


class Client:
    def __init__(self):
        self.channels = {}
        self.streams = {}

    def channel(self, target, ca=None, fresh=None):
        key = (target, ca, fresh)
        if key not in self.channels:
            options = [("grpc.max_receive_message_length", 64 << 20), ("grpc.use_local_subchannel_pool", 1)]
            if ca is None:
                self.channels[key] = grpc.insecure_channel(target, options)
            else:
                with open(ca, "rb") as file:
                    credentials = grpc.ssl_channel_credentials(file.read())
                options.append(("grpc.ssl_target_name_override", "localhost"))
                self.channels[key] = grpc.secure_channel(target, credentials, options)
        return self.channels[key]

    def stub(self, line):
        service, name = line["method"].split("/")
        method = SERVICES[service].methods_by_name[name]
        channel = self.channel(line["target"], line.get("ca"), line.get("fresh"))
        request, reply = class_of(method.input_type), class_of(method.output_type)
        maker = getattr(channel, ("stream" if method.client_streaming else "unary") + "_" +
                        ("stream" if method.server_streaming else "unary"))
        call = maker("/%s/%s" % (service, name), request_serializer=lambda m: m.SerializeToString(),
                     response_deserializer=reply.FromString)
        options = {"metadata": [tuple(each) for each in line.get("metadata", [])], "timeout": line.get("timeout")}
        return call, request, options, method

    def unary(self, line):
        call, request, options, _ = self.stub(line)
        message = json_format.ParseDict(line.get("request", {}), request())
        began = time.time()
        reply, state = call.with_call(message, **options)
        return {
            "reply": plain(reply),
            "bytes": reply.ByteSize(),
            "seconds": time.time() - began,
            "heads": dict(state.initial_metadata()),
        }

    def times(self, line):
        """A call, and a GET of the API, in turn: milliseconds until each answer is there whole, and its bytes."""
        service, name = line["method"].split("/")
        call = self.channel(line["target"]).unary_unary("/%s/%s" % (service, name))
        metadata = [tuple(each) for each in line["metadata"]]
        connection = http.client.HTTPConnection(line["http"])
        ours, theirs = [], []
        for _ in range(line["count"]):
            began = time.perf_counter()
            reply = call(b"", metadata=metadata)
            ours.append((time.perf_counter() - began) * 1e3)
            began = time.perf_counter()
            connection.request("GET", line["path"], headers=dict(metadata))
            body = connection.getresponse().read()
            theirs.append((time.perf_counter() - began) * 1e3)
        return {"grpc": ours, "rest": theirs, "grpc_bytes": len(reply), "rest_bytes": len(body)}

    def open(self, line):
        call, request, options, method = self.stub(line)
        requests = queue.Queue()

        def sent():
            while True:
                message = requests.get()
                if message is None:
                    return
                yield message

        if method.client_streaming:
            call = call.future(sent(), **options) if not method.server_streaming else call(sent(), **options)
        else:
            call = call(json_format.ParseDict(line.get("request", {}), request()), **options)
        self.streams[line["stream"]] = (call, requests, request)
        if line.get("wait"):
            call.initial_metadata()
        return {}

    def send(self, line):
        _, requests, request = self.streams[line["stream"]]
        for each in line["requests"]:
            requests.put(json_format.ParseDict(each, request()))
        if line.get("last"):
            requests.put(None)
        return {}

    def next(self, line):
        call, _, _ = self.streams[line["stream"]]
        messages = []
        for _ in range(line.get("count", 1)):
            try:
                messages.append(plain(next(call)))
            except StopIteration:
                return {"messages": messages, "end": True}
        return {"messages": messages}

    def result(self, line):
        call, _, _ = self.streams[line["stream"]]
        return {"reply": plain(call.result(timeout=line.get("timeout")))}

    def cancel(self, line):
        call, requests, _ = self.streams.pop(line["stream"])
        requests.put(None)
        call.cancel()
        return {}

    def flood(self, line):
        """Opens many calls that answer with streams, on a few connections, and reads none of them."""
        calls, counts = [], {}
        for at in range(line["count"]):
            call, request, options, _ = self.stub({**line, "fresh": at % line["connections"]})
            calls.append(call(json_format.ParseDict(line.get("request", {}), request()), **options))
        time.sleep(line["seconds"])
        for call in calls:
            state = "open" if call.is_active() else call.code().name
            counts[state] = counts.get(state, 0) + 1
            call.cancel()
        return {"states": counts}

    def reflect(self, line):
        """Calls a method by what reflection tells alone."""
        target, metadata = line["target"], [tuple(each) for each in line.get("metadata", [])]
        package = "grpc.reflection.%s" % line["version"]
        info = self.channel(target).stream_stream(
            "/%s.ServerReflection/ServerReflectionInfo" % package,
            request_serializer=lambda m: m.SerializeToString(),
            response_deserializer=class_of(
                SERVICES["grpc.reflection.v1alpha.ServerReflection"]
                .methods_by_name["ServerReflectionInfo"].output_type).FromString)
        request = class_of(SERVICES["grpc.reflection.v1alpha.ServerReflection"]
                           .methods_by_name["ServerReflectionInfo"].input_type)
        asked = [request(list_services=""), request(file_containing_symbol=line["service"]),
                 request(file_by_filename="nothing.proto")]
        services, files, missing = info(iter(asked), metadata=metadata)
        pool = descriptor_pool.DescriptorPool()
        found = [descriptor_pb2.FileDescriptorProto.FromString(each)
                 for each in files.file_descriptor_response.file_descriptor_proto]
        for file in reversed(found):
            pool.Add(file)
        method = pool.FindServiceByName(line["service"]).methods_by_name[line["method"]]
        factory = message_factory.MessageFactory(pool)
        reply = self.channel(target).unary_unary(
            "/%s/%s" % (line["service"], line["method"]), request_serializer=lambda m: m.SerializeToString(),
            response_deserializer=factory.GetPrototype(method.output_type).FromString,
        )(factory.GetPrototype(method.input_type)(), metadata=metadata)
        own = found[0]
        with open(os.path.join(sys.argv[1], "protoc.pb"), "rb") as file:
            known = descriptor_pb2.FileDescriptorSet.FromString(file.read()).file[0]
        names = {each.name: each for each in known.message_type}
        same = [each.name for each in own.message_type
                if each.SerializeToString(deterministic=True) != names[each.name].SerializeToString(deterministic=True)]
        return {
            "services": [each.name for each in services.list_services_response.service],
            "missing": missing.error_response.error_code,
            "reply": json_format.MessageToDict(reply, preserving_proto_field_name=True, descriptor_pool=pool),
            "unlike_protoc": same[:5],
            "messages": len(own.message_type),
        }


def main():
    client = Client()
    lock = threading.Lock()

    def answer(line):
        try:
            given = getattr(client, line["op"])(line)
        except grpc.RpcError as error:
            given = failure(error)
        except Exception as error:  # told to the test, which fails
            given = {"exception": repr(error)}
        with lock:
            sys.stdout.write(json.dumps({"id": line["id"], **given}) + "\n")
            sys.stdout.flush()

    for text in sys.stdin:
        threading.Thread(target=answer, args=(json.loads(text),), daemon=True).start()
    os._exit(0)


main()
