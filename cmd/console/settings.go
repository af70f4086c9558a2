package main

import (
	"fmt"
	"net/url"
	"reflect"
	"strings"

	"windlass/internal/engine"
)

// settings lists what the program was set to, for the support bundle. A secret
// prints as such; an address loses the user and the password in it.
func (c Config) settings() []engine.Setting {
	var list []engine.Setting
	v := reflect.ValueOf(c)
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("env"), ",")
		if name == "" {
			continue
		}
		s := engine.Setting{Name: name, Default: f.Tag.Get("default")}
		if v.Field(i).Kind() != reflect.String || v.Field(i).Len() > 0 {
			s.Value = fmt.Sprint(v.Field(i).Interface())
		}
		if u, err := url.Parse(s.Value); err == nil && u.User != nil {
			u.User = nil
			s.Value = u.String()
		}
		list = append(list, s)
	}
	return list
}
