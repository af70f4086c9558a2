package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usageError is a command line that says something impossible.
type usageError string

func (e usageError) Error() string { return string(e) }

func noCommand(name string) error { return usageError("No such command '" + name + "'.") }

// usageText is what the standard error shows of a wrong command line.
func usageText(c *cobra.Command, err error) string {
	line := c.CommandPath() + " [OPTIONS]"
	if c.HasSubCommands() {
		line += " COMMAND [ARGS]..."
	} else if _, args, ok := strings.Cut(c.Use, " "); ok {
		line += " " + args
	}
	return fmt.Sprintf("Usage: %s\nTry '%s -h' for help.\n\nError: %s\n", line, c.CommandPath(), said(err))
}

// said puts the parser's complaints into the original's words.
func said(err error) string {
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		if short := unknown.GetSpecifiedShortnames(); short != "" {
			return "No such option: -" + unknown.GetSpecifiedName()
		}
		return "No such option: --" + unknown.GetSpecifiedName()
	case errors.As(err, &missing):
		return "Option '--" + missing.GetSpecifiedName() + "' requires an argument."
	case errors.As(err, &invalid):
		f := invalid.GetFlag()
		return fmt.Sprintf("Invalid value for '--%s': %s", f.Name, complaint(f, invalid.GetValue()))
	}
	return err.Error()
}

func complaint(f *pflag.Flag, value string) string {
	kinds := map[string]string{"float64": "float", "int": "integer", "bool": "boolean"}
	if c, ok := f.Value.(*choice); ok {
		return fmt.Sprintf("'%s' is not one of '%s'.", value, strings.Join(c.among, "', '"))
	}
	if _, ok := f.Value.(*fileName); ok {
		return fmt.Sprintf("Path '%s' does not exist.", value)
	}
	kind, ok := kinds[f.Value.Type()]
	if !ok {
		kind = f.Value.Type()
	}
	return fmt.Sprintf("'%s' is not a valid %s.", value, kind)
}

// choice is an option with few values.
type choice struct {
	value string
	among []string
}

func (c *choice) String() string { return c.value }
func (c *choice) Type() string   { return strings.Join(c.among, "|") }
func (c *choice) Set(s string) error {
	for _, v := range c.among {
		if strings.EqualFold(s, v) {
			c.value = v
			return nil
		}
	}
	return errors.New("not among the choices")
}

// truth is an option that takes yes or no as its value.
type truth bool

func (t *truth) String() string { return strconv.FormatBool(bool(*t)) }
func (t *truth) Type() string   { return "bool" }
func (t *truth) Set(s string) error {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "1", "true", "t", "yes", "y", "on":
		*t = true
	case "0", "false", "f", "no", "n", "off":
		*t = false
	default:
		return errors.New("neither yes nor no")
	}
	return nil
}

// required says that an option must be given.
func required(c *cobra.Command, names ...string) *cobra.Command {
	args := c.Args
	c.Args = func(c *cobra.Command, given []string) error {
		for _, n := range names {
			if !c.Flags().Changed(n) {
				return usageError("Missing option '--" + n + "'.")
			}
		}
		return args(c, given)
	}
	return c
}
