package truth

// slideStories are carousels that go on by themselves, and animations without an end.
func slideStories() []story {
	slide := func(i int) Box { return within(i, 2, 2, 356, 276) }
	some := []int{0, 1, 2, 3, 4}
	return []story{
		{
			name: "Glide: three of them", path: "glide", height: headTall + 3*partTall, shown: anyView, checks: []Check{
				OneOf("the first", slide(0), some[:4]...), OneOf("the second", slide(1), some[:4]...), OneOf("the third", slide(2), some[:4]...),
			},
		},
	}
}
