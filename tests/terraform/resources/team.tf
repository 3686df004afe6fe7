variable "word" { default = "teams" }

resource "mixpanel_team" "this" {
  key     = "Editors"
  payload = jsonencode({ (var.word) = ["Editors"] })
}
