package policy

func alwaysGate() *gate {
	return &gate{
		name:  "always",
		about: "Fires for every image, whatever it holds.",
		triggers: []*trigger{{
			name:  "always",
			about: "Fires once. Useful to try out a bundle, or to stop every image of a mapping.",
			compile: plain(func(_ *context, emit func(hit)) error {
				emit(hit{id: "always", message: "The image is judged by a rule that always fires"})
				return nil
			}),
		}},
	}
}
