//go:build !windows

// Package service is Windows' service control: other systems need none.
package service

import "errors"

// Run is for Windows.
func Run(string, func() error) error { return errors.New("--service is for Windows") }
