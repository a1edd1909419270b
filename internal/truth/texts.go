package truth

// texts are pages whose letters must be the right ones.
func texts() []Case {
	return []Case{
		{
			Name: "slow web font", Path: "/fonts?ms=600",
			Checks: []Check{Ink("a line of text", Box{40, 40, 1300, 140}, 0.05, 0.5)},
		},
	}
}
