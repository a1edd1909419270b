package mcp

import (
	"maps"
	"slices"

	"github.com/savepage/savepage/internal/api"
)

// schema is a JSON schema.
type schema map[string]any

// usual are the options that models are told about one by one. The others are in options.
var usual = [...]string{
	"url", "html", "fullpage", "selector", "device", "width", "height", "scale", "format", "wait_for_selector", "wait_for_text", "delay",
	"timeout", "color_scheme", "block_ads", "block_cookie_banners", "hide", "click", "js",
}

func captureSchema() schema {
	properties := viewProperties(usualSide)
	maps.Copy(properties, optionProperties("url", "html"))
	return schema{"type": "object", "properties": properties, "additionalProperties": false}
}

func batchSchema() schema {
	properties := viewProperties(smallSide)
	delete(properties, "tiles")
	delete(properties, "first_tile")
	properties["first_item"] = firstItem()
	maps.Copy(properties, optionProperties())
	properties["urls"] = schema{
		"type": "array", "items": schema{"type": "string"}, "minItems": 1, "maxItems": maxBatch,
		"description": "The pages, with http:// or https://.",
	}
	return schema{"type": "object", "properties": properties, "required": []string{"urls"}, "additionalProperties": false}
}

func lookUpSchema() schema {
	properties := viewProperties(usualSide)
	properties["capture_id"] = schema{"type": "string", "description": "The id of a capture, in the answer of capture or batch."}
	properties["batch_id"] = schema{"type": "string", "description": "In place of capture_id: the id in the answer of batch."}
	properties["first_item"] = firstItem()
	return schema{"type": "object", "properties": properties, "additionalProperties": false}
}

func firstItem() schema {
	return schema{
		"type": "integer", "minimum": 1, "default": 1,
		"description": "Of a batch: the capture to begin with, for those that an answer did not hold.",
	}
}

// names are the properties of a schema, sorted.
func names(s schema) []string {
	properties, _ := s["properties"].(schema)
	return slices.Sorted(maps.Keys(properties))
}

// viewProperties are the arguments that say how a picture is shown.
func viewProperties(side int) schema {
	return schema{
		"longest_side": schema{
			"type": "integer", "minimum": lowestSide, "maximum": highestSide, "default": side,
			"description": "Longest side of the picture that is shown, in pixels. The full picture is not changed.",
		},
		"tiles": schema{
			"type": "boolean", "default": false,
			"description": "Show a tall picture in pieces from top to bottom, none longer than longest_side, with some overlap, in place of " +
				"scaling it down as a whole.",
		},
		"first_tile": schema{
			"type": "integer", "minimum": 1, "default": 1, "description": "The tile to begin with, for those that an answer did not hold.",
		},
	}
}

// optionProperties are the options of a capture, the given ones among them.
func optionProperties(page ...string) schema {
	properties := schema{
		"options": schema{
			"type": "object", "description": "Any other option of SavePage's API by its name, such as {\"timezone\":\"Europe/Berlin\"}.",
		},
	}
	for _, f := range api.OptionFields() {
		isPage := f.Name == "url" || f.Name == "html"
		if slices.Contains(usual[:], f.Name) && (!isPage || slices.Contains(page, f.Name)) {
			properties[f.Name] = optionSchema(f)
		}
	}
	return properties
}

func optionSchema(f api.Field) schema {
	s := schema{"type": "string", "description": f.Doc}
	if f.Range != "" && len(f.Enum) == 0 {
		s["description"] = f.Doc + " " + f.Range + "."
	}
	switch f.Kind {
	case api.KindInteger, api.KindNumber, api.KindBoolean:
		s["type"] = string(f.Kind)
	case api.KindList:
		s["type"], s["items"] = "array", schema{"type": "string"}
	default:
		if len(f.Enum) > 0 {
			s["enum"] = f.Enum
		}
	}
	return s
}
