// Command kvm-manager-agent answers KVM Manager from inside a guest. See PROTOCOL.md.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"kvmmanager.org/guest/internal/agent"
	"kvmmanager.org/guest/internal/logs"
	"kvmmanager.org/guest/internal/port"
	"kvmmanager.org/guest/internal/rules"
	"kvmmanager.org/guest/internal/service"
)

// version is set when it is built.
var version = "dev"

const usage = `Usage: kvm-manager-agent [options]            answers the host until it is ended
       kvm-manager-agent metadata              prints what host and guest left for each other
       kvm-manager-agent metadata KEY VALUE    leaves a value for the host; an empty one removes it

Options:
`

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "kvm-manager-agent:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	// A guest's memory is the guest's: collecting often costs little here
	debug.SetGCPercent(40)
	runtime.GOMAXPROCS(2)
	if len(args) > 0 {
		switch args[0] {
		case "ssh-keys":
			if len(args) != 2 {
				return errors.New("ssh-keys is for the agent itself")
			}
			return agent.ChangeKeysHere(args[1], os.Stdin, os.Stdout)
		case "metadata":
			return metadata(args[1:])
		}
	}
	flags := flag.NewFlagSet("kvm-manager-agent", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), usage)
		flags.PrintDefaults()
	}
	config := flags.String("config", rules.DefaultPath(), "the configuration file")
	line := flags.String("port", "", "the virtio-serial port, or COM1 to COM256 on Windows (default: "+port.Name+")")
	stdio := flags.Bool("stdio", false, "speak on standard input and output instead of a port")
	asService := flags.Bool("service", false, "run as a Windows service")
	check := flags.Bool("check", false, "check the configuration file, and end")
	showVersion := flags.Bool("version", false, "print the version, and end")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unknown argument: %s", flags.Arg(0))
	}
	if *showVersion {
		fmt.Println(version)
		return nil
	}
	allowed, err := rules.Load(*config)
	if err != nil || *check {
		return err
	}
	if *line == "" {
		*line = allowed.Port
	}
	if *asService {
		return service.Run("kvm-manager-agent", func() error { return serve(allowed, *line, false) })
	}
	return serve(allowed, *line, *stdio)
}

func serve(allowed rules.Rules, path string, stdio bool) error {
	file := allowed.Log.File
	if file == "" && runtime.GOOS == "windows" && !stdio {
		file = filepath.Join(rules.Folder(), "agent.log")
	}
	log := logs.New(file, allowed.Log.MaxBytes)
	defer log.Close()
	a := agent.New(version, allowed, log)
	if stdio {
		if err := a.Serve(port.Stdio()); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		return nil
	}
	log.Printf("started, version %s", version)
	wait := time.Second
	said := ""
	for {
		from := path
		if from == "" {
			from = port.Find()
		}
		line, err := port.Open(from)
		if err == nil {
			wait, said = time.Second, ""
			log.Printf("opened %s", from)
			err = a.Serve(line)
			_ = line.Close()
		}
		// The device may come later, or come back: after a migration, when it is plugged in, when its driver is installed
		if err != nil && err.Error() != said {
			said = err.Error()
			log.Printf("waiting for the port: %v", err)
		}
		time.Sleep(wait)
		if wait *= 2; wait > 10*time.Second {
			wait = 10 * time.Second
		}
	}
}

func metadata(args []string) error {
	switch len(args) {
	case 0:
		values, err := agent.MetadataValues()
		if err != nil {
			return err
		}
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(values)
	case 2:
		return agent.SetMetadata(args[0], args[1])
	}
	return errors.New("metadata takes a key and a value")
}
