package report

import (
	"slices"

	"github.com/CycloneDX/cyclonedx-go"

	"windlass/internal/engine"
)

// analysis is what a VEX document says, in CycloneDX's words.
func analysis(v *engine.VEX) *cyclonedx.VulnerabilityAnalysis {
	if v == nil {
		return nil
	}
	a := &cyclonedx.VulnerabilityAnalysis{State: states[v.Status], Detail: v.Impact}
	if v.Status == engine.VEXNotAffected {
		a.Justification = justification(v.Justification)
	}
	if at := stamp(v.At); at != "" {
		a.FirstIssued, a.LastUpdated = at, at
	}
	return a
}

var states = map[engine.VEXStatus]cyclonedx.ImpactAnalysisState{
	engine.VEXNotAffected: cyclonedx.IASNotAffected, engine.VEXFixed: cyclonedx.IASResolved,
	engine.VEXAffected: cyclonedx.IASExploitable, engine.VEXInvestigating: cyclonedx.IASInTriage,
}

// openVEX gives the justifications of OpenVEX the nearest ones of CycloneDX.
var openVEX = map[string]cyclonedx.ImpactAnalysisJustification{
	"component_not_present":                             cyclonedx.IAJCodeNotPresent,
	"vulnerable_code_not_present":                       cyclonedx.IAJCodeNotPresent,
	"vulnerable_code_not_in_execute_path":               cyclonedx.IAJCodeNotReachable,
	"vulnerable_code_cannot_be_controlled_by_adversary": cyclonedx.IAJRequiresEnvironment,
	"inline_mitigations_already_exist":                  cyclonedx.IAJProtectedByMitigatingControl,
}

// ownJustifications are CycloneDX's words, which its documents are stored with.
var ownJustifications = []cyclonedx.ImpactAnalysisJustification{
	cyclonedx.IAJCodeNotPresent, cyclonedx.IAJCodeNotReachable, cyclonedx.IAJRequiresConfiguration, cyclonedx.IAJRequiresDependency,
	cyclonedx.IAJRequiresEnvironment, cyclonedx.IAJProtectedByCompiler, cyclonedx.IAJProtectedAtRuntime, cyclonedx.IAJProtectedAtPerimeter,
	cyclonedx.IAJProtectedByMitigatingControl,
}

func justification(word string) cyclonedx.ImpactAnalysisJustification {
	if j, ok := openVEX[word]; ok {
		return j
	}
	if own := cyclonedx.ImpactAnalysisJustification(word); slices.Contains(ownJustifications, own) {
		return own
	}
	return "" // a word that the schema does not know makes the document invalid
}
